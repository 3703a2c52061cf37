"""Inventories (`.idx`): which messages of a file are wanted, and their offsets.

A line, as wgrib2 writes it, is `number:offset:d=YYYYMMDDHH:variable:level:forecast:`, followed by
`wt ens mean` or `ens spread` for a product of an ensemble and by `ENS=+1` for a member. Fields that
share a message (`12.1`, `12.2`) share its offset.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stormdraw.archive.faults import Fault
from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import contradiction
from stormdraw.messages import Statistic
from stormdraw.times import parse_init
from stormdraw.variables import variable

_LINE = re.compile(r"[\d.]+:(\d+):d=(\d{10})(?:00)?:(.*)")

# The endings of the lines of ensemble products, as regular expressions.
_ENDINGS: dict[Statistic | None, str] = {
    None: "",
    "mean": "(?:wt )?ens mean",
    "spread": "ens spread",
}


@dataclass(frozen=True)
class Line:
    """A field: the offset of its message, the initial time of its run, and the following columns.

    `columns` begin and end with a colon: `:TMP:2 m above ground:anl:`.
    """

    offset: int
    init: datetime
    columns: str


@dataclass(frozen=True)
class Choice:
    """The offsets of the wanted messages, and the faults of the others by variable."""

    offsets: tuple[int, ...]
    lacking: dict[str, Fault]


def read_inventory(text: str) -> list[Line]:
    """The lines of an inventory; invalid lines are skipped."""
    lines = []
    for found in map(_LINE.fullmatch, text.splitlines()):
        try:
            init = None if found is None else parse_init(found[2])
        except ValueError:
            continue
        if found is not None and init is not None:
            lines.append(Line(int(found[1]), init, f":{found[3].rstrip(':')}:"))
    return lines


def choose(lines: Sequence[Line], request: FileRequest) -> Choice:
    """The lines of the wanted variables at the wanted time."""
    offsets: list[int] = []
    missing: list[str] = []
    wrong: tuple[Line, int | None] | None = None
    for name in request.variables:
        pattern = line_pattern(name, request)
        found = [line for line in lines if re.search(pattern, line.columns)]
        right = [line.offset for line in found if line.init == request.init]
        offsets += right
        if not right:
            missing.append(name)
            # The same variable at another time means that the file is not what its name says.
            found += [line for line in lines if _lead(line, name) is not None]
            wrong = wrong or next(((line, _lead(line, name)) for line in found), None)
    if wrong is not None:
        line, lead = wrong
        fault = contradiction(request, "its inventory", line.init, f"{lead} h")
    else:
        them = "it" if len(missing) == 1 else "them"
        fault = Fault(
            f"its inventory has no {', '.join(missing)} at {request.lead} h",
            f"leave {them} out of the configuration, or use an archive that has {them}",
        )
    return Choice(tuple(offsets), dict.fromkeys(missing, fault))


def line_pattern(name: str, request: FileRequest) -> str:
    """A regular expression for the columns of one variable's line, to their end.

    A plain forecast must end after its lead, or with the number of a member (`ENS=+1`): `ens
    spread` or `process=193` is something else. Products of REFS do come from process 193 if they
    need a neighbourhood.
    """
    ending = _ENDINGS[request.statistic]
    rest = f"{ending}:(?:process=\\d+:)?" if ending else r"(?:ENS=[^:]+:)?"
    return f"{variable(name).inventory_pattern(request.lead)}{rest}$"


def _lead(line: Line, name: str) -> int | None:
    """The lead in hours of a variable's line; None for other lines."""
    found = re.search(f":{variable(name).inventory}:([^:]*):", line.columns)
    return variable(name).grib.lead_of(found[1]) if found else None
