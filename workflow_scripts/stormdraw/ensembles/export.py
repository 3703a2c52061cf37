"""Ensembles for other programs.

A format is a file in `exports/`, named as in `ensembles.export`, with a function `export` that adds
a case to the folder `results/ensembles/{system}.{format}`. Nothing else knows what sets one format
apart from another. Jobs of several cases may call it for the same folder at once.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "stormdraw.ensembles.exports"

# All members of a variable at one lead are in memory at once, in small ensembles of several leads
# (`BYTES_AT_ONCE`), as they are stored, unpacked and compressed.
BYTES_AT_ONCE = 2**28
_TIMES_IN_MEMORY = 4
_PROCESS_BYTES = 500_000_000

# The value of `ensembles.export` that exports nothing.
NO_EXPORT = "none"


@dataclass(frozen=True)
class CaseToExport:
    """An ensemble file, and the folder that it is added to.

    `members` is the most that a file of the system has; 0 if it is known by mean and spread.
    `inits` are the initial times of all cases of the run, in their order.
    """

    ensemble: Path
    folder: Path
    members: int
    inits: Sequence[str]


def export_names() -> tuple[str, ...]:
    """The names of all formats."""
    folder = Path(__file__).with_name("exports")
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(folder)])))


def module_of_export(name: str) -> str:
    """The module of a format, which no import statement names."""
    return f"{_FOLDER}.{name}"


def export_case(name: str, case: CaseToExport) -> None:
    """Add a case to the exported ensembles of its system.

    Raises StormdrawError as the format does.
    """
    importlib.import_module(module_of_export(name)).export(case)


def megabytes_to_export(points: int, members: int) -> int:
    """The memory to request for a case with so many grid points and members."""
    at_once = max(BYTES_AT_ONCE, 4 * points * max(members, 1))
    return (_PROCESS_BYTES + _TIMES_IN_MEMORY * at_once) // 10**6 + 1
