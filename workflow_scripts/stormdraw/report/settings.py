"""The part `report` of a configuration."""

from typing import Annotated

from pydantic import Field

from stormdraw.section import Name, Section


class Report(Section):
    """What the scorecard shows, what a device-hour costs, and whose products are written."""

    map_members: Annotated[int, Field(ge=1, le=8)] = 4
    sheet_members: Annotated[int, Field(ge=1, le=50)] = 8
    cost_per_device_hour: Annotated[float, Field(ge=0)] | None = None
    currency: Annotated[str, Field(min_length=1, max_length=8)] = "USD"
    device_watts: Annotated[float, Field(gt=0)] | None = None
    products_of: Name | None = None
    # The matrix does not colour smaller relative differences in CRPS.
    smallest_difference: Annotated[float, Field(gt=0, lt=1)] = 0.02
