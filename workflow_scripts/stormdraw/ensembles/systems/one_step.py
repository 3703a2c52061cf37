"""Members of a model that forecasts in one step; a deterministic one has one member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stormdraw.ensembles.system import FromModel

if TYPE_CHECKING:
    from stormdraw.ensembles.drawing import CaseToDraw
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class OneStepSystem(FromModel):
    """Members of a model that forecasts in one step; a deterministic one has one member."""

    method: Literal["one_step"]

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """One for every hour to the longest lead."""
        return {self.model: max(run.leads)}

    def draw(self, made: CaseToDraw) -> None:
        """Members (member, lead, y, x); see `FromModel.draw`."""
        from stormdraw.ensembles.one_step import write_one_step

        files = (made.drawn.checkpoint, made.drawn.states, made.drawn.static)
        to = (made.output, made.settings)
        write_one_step(*files, made.case, made.rollout, *to, made.threads, made.driving)


SYSTEM = OneStepSystem
