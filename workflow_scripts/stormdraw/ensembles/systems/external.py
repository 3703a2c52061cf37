"""Ensembles of others, from files on this machine or behind an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from stormdraw.ensembles.system import CaseToMake, WithoutModel
from stormdraw.external.settings import ExternalFiles
from stormdraw.times import hours
from stormdraw.variables import is_computed, scored_variables

if TYPE_CHECKING:
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class ExternalSystem(ExternalFiles, WithoutModel):
    """The first `members` members in files of others.

    A case is compared with the run that started `lead_offset` hours before it, at leads that are as
    much longer. `latency_hours` after its start a run is there.
    """

    method: Literal["external"]
    members: Annotated[int, Field(ge=1, le=1000)]
    lead_offset: Annotated[int, Field(ge=0, le=240)] = 0
    latency_hours: Annotated[float, Field(ge=0, le=240)] | None = None
    of_others = True
    of_files = True
    # Weights between two grids: 150 MB on a whole 3 km grid.
    megabytes_to_write = 2500

    def start(self, init: datetime) -> datetime:
        """When the run started that a case is compared with."""
        return init - hours(self.lead_offset)

    def leads(self, run: Settings) -> list[int]:
        """The leads of that run."""
        return [lead + self.lead_offset for lead in run.leads]

    def variables(self, run: Settings, models: Models) -> list[str]:
        """Those that its files have: of a run's, those in `layout.variables`, if that names any."""
        return self.held(run)

    def held(self, run: Settings) -> list[str]:
        """The variables that its files have; what is computed of others only if it is named."""
        named = self.layout.variables
        held = [name for name in scored_variables(run.variables) if not named or name in named]
        return [name for name in held if name in named or not is_computed(name, held)]

    def on_analyses(self, run: Settings) -> bool:
        """No: it starts from nothing of the run's, and the truth has the grid."""
        return False

    def files_of(self, run: Settings, init: datetime) -> Sequence[str]:
        """Those on this machine."""
        from stormdraw.external.inputs import local_files

        return local_files(self, self.name, self.start(init), self.held(run), self.leads(run))

    def require_files(self, run: Settings) -> None:
        """Raises StormdrawError if files of this machine are of no case at all."""
        from stormdraw.external.inputs import require_any

        starts = [self.start(init) for init in run.cases_of(self)]
        origin = f"ensembles.systems: {self.name}"
        require_any(self, origin, self.name, starts, self.held(run), self.leads(run))

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """How fields are put on the target grid and checked."""
        return {
            "target": run.fields.model_dump(mode="json", include={"crop", "coarsen", "suspicious"})
        }

    def caveat(self, run: Settings) -> str:
        """When it is there, against the time that it is compared at."""
        start = "with each case"
        if self.lead_offset:
            start = f"{self.lead_offset} h before each case"
        runs = f"The runs of {self.name} start {start}"
        if self.latency_hours is None:
            return (
                f"{runs}; how long after that they are available is not known (latency_hours), and "
                "the scores do not allow for it."
            )
        late = self.latency_hours - self.lead_offset
        there = f"{runs} and are available {self.latency_hours:g} h later"
        if late <= 0:
            before = f"{-late:g} h before the case begins" if late else "when the case begins"
            return f"{there}, {before}."
        over = [lead for lead in run.leads if lead <= late]
        gone = f" Leads to {over[-1]} h are over by then." if over else ""
        return (
            f"{there}, {late:g} h after the case began: later than systems that are available when "
            f"it begins, which the scores do not allow for.{gone}"
        )

    def check(self, run: Settings) -> None:
        """Also checks that it has a variable of the run."""
        super().check(run)
        if not self.held(run):
            raise ValueError(
                f"has {', '.join(self.layout.variables)} (layout.variables), and none of the run's "
                f"variables, which are {', '.join(scored_variables(run.variables))}; name one"
            )

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x). What the files lack is missing."""
        from stormdraw.ensembles.others import write_others

        write_others(made, self, self.start(made.case.init), self.lead_offset, self.members)


SYSTEM = ExternalSystem
