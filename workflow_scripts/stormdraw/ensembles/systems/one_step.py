"""Members of a model that forecasts in one step; a deterministic one has one member."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stormdraw.ensembles.system import FromModel

if TYPE_CHECKING:
    from stormdraw.ensembles.drawing import Drawn
    from stormdraw.ensembles.files import Case
    from stormdraw.ensembles.rollout import Rollout
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class OneStepSystem(FromModel):
    """Members of a model that forecasts in one step; a deterministic one has one member."""

    method: Literal["one_step"]

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """One for every hour to the longest lead."""
        return {self.model: max(run.leads)}

    def draw(
        self,
        drawn: Drawn,
        case: Case,
        rollout: Rollout,
        output: Path,
        settings: Mapping[str, Any],
        threads: int,
    ) -> None:
        """Members (member, lead, y, x); see `FromModel.draw`."""
        from stormdraw.ensembles.one_step import write_one_step

        files = (drawn.checkpoint, drawn.states, drawn.static)
        write_one_step(*files, case, rollout, output, settings, threads=threads)


SYSTEM = OneStepSystem
