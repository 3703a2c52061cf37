"""The base model's own forecast and those of its older runs, as a poor man's ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from stormdraw.ensembles.forecasts import write_members
from stormdraw.ensembles.reach import SIX_RUNS, Ages, LaggedRuns
from stormdraw.ensembles.system import Baseline, CaseToMake

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class LaggedSystem(Baseline):
    """The base model's run of the initial state and older ones, by their `ages` in hours."""

    kind: Literal["lagged"]
    ages: Ages = Field(default=SIX_RUNS)

    @property
    def forecasts(self) -> LaggedRuns:
        """The runs of these ages."""
        return LaggedRuns(tuple(self.ages))

    def most_members(self, run: Settings) -> int:
        """One per run."""
        return len(self.ages)

    def write(self, made: CaseToMake) -> None:
        """One member per run, the newest first, (member, lead, y, x).

        A run is missing at leads that it does not reach, and where the archive lacks it.
        """
        # The file has the runs of all lagged systems.
        names = made.run.archive.base_model.names(self.forecasts.need(made.run).ages)
        write_members(made, 1, may_be_missing=True, only=names)


SYSTEM = LaggedSystem
