"""Checks that the fields of a file are usable and are those that were requested."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import eccodes
import numpy as np

from stormdraw.archive.faults import Fault
from stormdraw.archive.request import FileRequest
from stormdraw.archive.sections import split_fields
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.messages import Header, opened, read_grid, read_header, read_messages
from stormdraw.variables import vectors

logger = logging.getLogger(__name__)

Key = TypeVar("Key")

_STATISTICS = {
    None: "a plain forecast",
    "mean": "the mean of an ensemble",
    "spread": "the spread of an ensemble",
    "other": "another statistic of an ensemble",
}

# The value that ecCodes uses for missing values: larger than any other.
_MISSING = 2.0**100


@dataclass(frozen=True)
class VerifiedMessage:
    """A wanted variable and the bytes of its message, which holds nothing else.

    `seconds_after` is how long after the wanted time the field is, in seconds.
    """

    variable: str
    content: bytes
    seconds_after: int = 0


@dataclass(frozen=True)
class Verified:
    """The usable messages in the requested order, all on one grid, and the faults of the others.

    `grid` is None if there is no usable message. `lacking` has each variable that is not usable
    with its fault, or None if no message holds it.
    """

    messages: tuple[VerifiedMessage, ...]
    grid: Grid | None
    lacking: Mapping[str, Fault | None]


@dataclass(frozen=True)
class _Field:
    """A field as its own message."""

    content: bytes
    header: Header
    grid: Grid


def verify_file(path: str | Path, request: FileRequest) -> Verified:
    """`verify` for a file that holds only these fields. Raises StormdrawError if it is damaged."""
    return verify(read_messages(path), request)


def verify(messages: Iterable[bytes], request: FileRequest) -> Verified:
    """The wanted fields of some messages.

    A field is usable if its header agrees with the request, if it can be decoded, if it has a value
    somewhere (everywhere if `request.whole`), and if it is on the grid of most of the others.
    """
    found: dict[str, _Field] = {}
    faults: dict[str, Fault] = {}
    damage: list[Fault] = []
    for content, header in _fields(messages, damage):
        name = "" if header.variable is None else header.variable.name
        if header.variable is None or name not in request.variables:
            continue
        fault = _other_than_asked_for(header, request)
        if fault is None and name in found:
            # REFS spread files hold the terrain twice, from two processes, with the same values.
            # The sum over the first hour of a run is that over its last hour too.
            if header.lead != header.variable.shortest_lead:
                logger.warning("%s: holds %s twice; the first is taken", request, name)
            continue
        try:
            if fault is None:
                found[name] = _Field(content, header, decodable(content, name, request.whole))
        except StormdrawError as error:
            fault = Fault(str(error))
        if fault is not None:
            faults.setdefault(name, fault)
    faults |= _take_out(found, _on_other_grids(found))
    faults |= _take_out(found, _winds_apart(found, request))
    unread = damage[0] if damage else None
    return Verified(
        tuple(VerifiedMessage(n, found[n].content) for n in request.variables if n in found),
        next((field.grid for field in found.values()), None),
        {n: faults.get(n, unread) for n in request.variables if n not in found},
    )


def _fields(messages: Iterable[bytes], damage: list[Fault]) -> Iterator[tuple[bytes, Header]]:
    """Each field with its header. Unreadable messages are noted in `damage` and skipped."""
    for message in messages:
        try:
            for field in split_fields(message):
                with opened(field) as handle:
                    header = read_header(handle)
                yield field, header
        except StormdrawError as error:
            damage.append(Fault(str(error)))


def _other_than_asked_for(header: Header, request: FileRequest) -> Fault | None:
    """How a field's header disagrees with its file's name.

    The message does not name the variable, so that a fault of all variables is reported once.
    """
    if (header.init, header.lead) != (request.init, request.lead):
        lead = "a part of an hour" if header.lead is None else f"{header.lead} h"
        return contradiction(request, "its header", header.init, lead)
    if header.statistic != request.statistic:
        found, expected = _STATISTICS[header.statistic], _STATISTICS[request.statistic]
        return Fault(f"its message is {found}, expected {expected}")
    member = dict(request.options).get("member", 0)
    # HiResW's second member does not declare its number.
    if header.member not in (None, member):
        return Fault(f"its message is of ensemble member {header.member}, expected {member}")
    return None


def contradiction(request: FileRequest, witness: str, init: datetime, lead: str) -> Fault:
    """The fault of a file whose messages have another time than its name."""
    return Fault(
        f"its name says {request.init:%Y-%m-%d %H} UTC + {request.lead} h, but {witness} says "
        f"{init:%Y-%m-%d %H} UTC + {lead}",
        "replace the file, or choose periods without it",
    )


def decodable(content: bytes, name: str, whole: bool) -> Grid:
    """The grid of a field that can be decoded.

    Raises StormdrawError if it cannot, has no value at all, or must be `whole` and is not.
    """
    with opened(content) as handle:
        grid = read_grid(handle)
        try:
            eccodes.codes_set(handle, "missingValue", _MISSING)
            values = eccodes.codes_get_array(handle, "values", ktype=float)
        except eccodes.CodesInternalError as error:
            raise StormdrawError(f"{name} cannot be decoded: {error}") from None
    if values.size != grid.shape[0] * grid.shape[1]:
        raise StormdrawError(
            f"{name} has {values.size} values on a grid of {grid.shape[0]} x {grid.shape[1]}"
        )
    missing = values.size - int(np.count_nonzero(values < _MISSING))
    if missing == values.size:
        raise StormdrawError(f"{name} has no value at any point")
    if whole and missing:
        raise StormdrawError(f"{name} is missing at {missing} of {values.size} points")
    return grid


def off_the_common_grid(grids: Mapping[Key, Grid]) -> tuple[Grid, list[Key]]:
    """The most common grid (the first of equals), and the keys of others. There must be a grid."""
    groups: list[list[Key]] = []
    for key, grid in grids.items():
        same = (group for group in groups if grids[group[0]].matches(grid))
        group = next(same, None)
        if group is None:
            groups.append([key])
        else:
            group.append(key)
    most = max(groups, key=len)
    return grids[most[0]], [key for group in groups if group is not most for key in group]


def _take_out(found: dict[str, _Field], faults: dict[str, Fault]) -> dict[str, Fault]:
    for name in faults:
        del found[name]
    return faults


def _on_other_grids(found: Mapping[str, _Field]) -> dict[str, Fault]:
    if not found:
        return {}
    _, others = off_the_common_grid({name: field.grid for name, field in found.items()})
    return {name: Fault(f"{name} is on another grid than the rest") for name in others}


def _winds_apart(found: Mapping[str, _Field], request: FileRequest) -> dict[str, Fault]:
    """The faults of a component without the other, and of two that follow different axes."""
    faults: dict[str, Fault] = {}
    for pair in vectors().items():
        there = [name for name in pair if name in found]
        if len(there) == 1 and set(pair) <= set(request.variables):
            faults[there[0]] = Fault(f"{there[0]} is of no use without the other component")
        if len({found[name].header.grid_relative_winds for name in there}) > 1:
            fault = Fault(
                f"of {' and '.join(pair)} one follows the grid's axes and one the compass"
            )
            faults |= dict.fromkeys(there, fault)
    return faults
