"""The state at the initial time, at every lead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from stormdraw.ensembles.files import ensemble_file, why_none_starts, write_missing
from stormdraw.ensembles.system import Baseline, CaseToMake
from stormdraw.fields.states import absent_times, read_grid_of, read_states

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class PersistenceSystem(Baseline):
    """The state at the initial time, at every lead."""

    kind: Literal["persistence"]

    def analyses(self, run: Settings, init: datetime) -> Sequence[datetime]:
        """The analysis of the initial time."""
        return (init,)

    def write(self, made: CaseToMake) -> None:
        """One member (member, lead, y, x); missing if the archive lacks the state."""
        case = made.case
        if case.init in absent_times(made.analyses):
            gap = why_none_starts(made.analyses, [case.init], case.variables)
            write_missing(made.output, made.analyses[0], case, [0], made.settings, gap)
            return
        _, state = next(read_states(made.analyses, case.variables, [case.init]))
        grid = read_grid_of(made.analyses[0])
        with ensemble_file(made.output, grid, case, [0], made.settings) as put:
            for j in range(len(case.leads)):
                put(0, j, state)


SYSTEM = PersistenceSystem
