"""The part `report` of a configuration."""

from typing import Annotated

from pydantic import Field

from stormdraw.section import Section


class Report(Section):
    """What the scorecard shows."""

    map_members: Annotated[int, Field(ge=1, le=8)] = 4
