"""The state at the initial time, at every lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stormdraw.ensembles.files import Case, ensemble_file, why_none_starts, write_missing
from stormdraw.ensembles.system import Baseline, CaseFiles
from stormdraw.fields.states import absent_times, read_grid_of, read_states

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class PersistenceSystem(Baseline):
    """The state at the initial time, at every lead."""

    kind: Literal["persistence"]

    def analyses(self, run: Settings, init: datetime) -> Sequence[datetime]:
        """That of the initial time."""
        return (init,)

    def write(
        self,
        run: Settings,
        files: CaseFiles,
        case: Case,
        output: Path,
        settings: Mapping[str, Any],
    ) -> None:
        """One member (member, lead, y, x)."""
        write_persistence(files.analyses, case, output, settings)


def write_persistence(
    field_paths: Sequence[Path], case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """One member: the state at the initial time, at every lead; missing if the archive lacks it."""
    if case.init in absent_times(field_paths):
        gap = why_none_starts(field_paths, [case.init])
        write_missing(output, field_paths[0], case, [0], settings, gap)
        return
    _, state = next(read_states(field_paths, case.variables, [case.init]))
    with ensemble_file(output, read_grid_of(field_paths[0]), case, [0], settings) as put:
        for j in range(len(case.leads)):
            put(0, j, state)


SYSTEM = PersistenceSystem
