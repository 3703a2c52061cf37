"""GRIB2 files of others, their headers read once and their fields decoded one at a time."""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import eccodes
import numpy as np

from stormdraw.curvilinear import CurvilinearGrid, SourceGrid
from stormdraw.errors import StormdrawError
from stormdraw.external.case import Case, ExternalField
from stormdraw.external.paths import is_there, local_copy
from stormdraw.external.settings import ExternalVariable
from stormdraw.grib_values import decode, decode_in_order
from stormdraw.grid_headers import can_be_read, in_map_order, read_grid
from stormdraw.messages import Extent, Header, extents, mapped, opened, read_header
from stormdraw.times import hours
from stormdraw.variables import variable

# What ecCodes calls the units of a parameter that it does not know.
_UNKNOWN = "unknown"

# Keys of ecCodes that say which parameter a message is of, whatever the table of variables says.
_PARAMETER = {"shortName", "paramId", "parameterNumber"}


@dataclass(frozen=True)
class _Message:
    """A message of a file.

    `section` identifies its grid. `again` is true if the file holds another message of the same
    variable, member and lead.
    """

    extent: Extent
    section: str
    units: str
    grid_relative_winds: bool
    again: bool = False


# By variable, lead (h) and member, which is None if the message names none.
_Contents = dict[str, dict[int, dict[int | None, _Message]]]


class GribFiles:
    """The files of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._contents: dict[str, _Contents | None] = {}
        self._names_in: dict[str, set[str]] = {}
        self._grids: dict[str, SourceGrid] = {}

    def close(self) -> None:
        """Forget what is in the files, none of which is held open."""
        self._contents.clear()

    def members_in(self, path: str) -> list[int]:
        """The members in a file; one, of number 0, if its messages name none."""
        return sorted(
            {
                member or 0
                for leads in (self._in(path) or {}).values()
                for members in leads.values()
                for member in members
            }
        )

    def names_in(self, path: str) -> list[str] | None:
        """The table's names of what is in a file, of any case; None if there is no such file."""
        return None if self._in(path) is None else sorted(self._names_in[path])

    def find(self, path: str, name: str, member: int | None, lead: int) -> ExternalField | None:
        """A field of the case, which is not decoded yet; None if it is not there.

        `member` is None if the path names it. Raises StormdrawError if the file holds several such
        fields, or has another lead than its path says.
        """
        leads = (self._in(path) or {}).get(name, {})
        if lead not in leads:
            self._require_no_other_lead(path, name, lead, list(leads))
            return None
        there = [
            message
            for number, message in leads[lead].items()
            if member is None or member == (number or 0)
        ]
        if not there:
            return None
        if len(there) > 1 or there[0].again:
            raise StormdrawError(
                f"{path}: holds {name} at {lead} hours more than once for a member; expected once: "
                "say which one under layout.variables, by keys of ecCodes"
            )
        message = there[0]
        winds = self.case.layout.winds
        return ExternalField(
            self._grid(path, message),
            functools.partial(_values, path, message.extent),
            message.units,
            message.grid_relative_winds if winds is None else winds == "grid",
        )

    def _require_no_other_lead(self, path: str, name: str, lead: int, others: list[int]) -> None:
        if others and self.case.path_tells("lead"):
            raise StormdrawError(
                f"{path}: {name} is at {others[0]} hours; expected the lead of its path, {lead} "
                "hours"
            )

    def _in(self, path: str) -> _Contents | None:
        if path not in self._contents:
            self._contents[path] = self._read(path) if is_there(path) else None
        return self._contents[path]

    def _read(self, path: str) -> _Contents:
        """The messages of a file that are of the case and of some variable."""
        contents: _Contents = {}
        all_names = self._names_in.setdefault(path, set())
        for extent, handle, header in _headers(path):
            if header.statistic != self.case.layout.statistic:
                continue
            names = list(self._names(handle, header))
            all_names.update(names)
            lead = self._lead(path, header)
            if lead is None:
                continue
            section = eccodes.codes_get(handle, "md5GridSection")
            for name in names:
                members = contents.setdefault(name, {}).setdefault(lead, {})
                members[header.member] = _Message(
                    extent,
                    section,
                    self._units(handle, name, header),
                    header.grid_relative_winds,
                    again=header.member in members,
                )
        return contents

    def _lead(self, path: str, header: Header) -> int | None:
        """The lead of a message, 0 for an analysis; None if it is not of this case.

        Raises StormdrawError if it should be, by its path.
        """
        if header.lead is None:
            return None
        valid = header.init + hours(header.lead)
        if self.case.analysis and valid == self.case.init:
            return 0
        if not self.case.analysis and header.init == self.case.init:
            return header.lead
        if self.case.path_tells("init"):
            what = "valid" if self.case.analysis else "initial"
            raise StormdrawError(
                f"{path}: a message is of {header.init:%Y-%m-%d %H:%M} UTC and {header.lead} hours "
                f"later; expected the {what} time of its path, {self.case.init:%Y-%m-%d %H:%M} UTC"
            )
        return None

    def _names(self, handle: int, header: Header) -> Iterator[str]:
        """The variables that a message is of: by the layout's keys, or else by the table's."""
        by_table = header.variable.name if header.variable else None
        for name, external in self.case.layout.variables.items():
            keys = _keys(external)
            if (name == by_table or _PARAMETER & set(keys)) and _has(handle, keys):
                yield name
        if by_table is not None and by_table not in self.case.layout.variables:
            yield by_table

    def _units(self, handle: int, name: str, header: Header) -> str:
        if header.variable is not None and header.variable.name == name:
            return variable(name).units
        units = str(eccodes.codes_get(handle, "units"))
        return self.case.layout.units.get(name, units) if units == _UNKNOWN else units

    def _grid(self, path: str, message: _Message) -> SourceGrid:
        if message.section not in self._grids:
            with _message(path, message.extent) as handle:
                grid = read_grid(handle) if can_be_read(handle) else _points(handle)
            self._grids[message.section] = grid
        return self._grids[message.section]


def _keys(external: ExternalVariable) -> dict[str, Any]:
    return {**({} if external.name is None else {"shortName": external.name}), **external.at}


def _has(handle: int, keys: dict[str, Any]) -> bool:
    return all(
        eccodes.codes_is_defined(handle, key)
        and eccodes.codes_get(handle, key, type(value)) == value
        for key, value in keys.items()
    )


def _headers(path: str) -> Iterator[tuple[Extent, int, Header]]:
    copy = local_copy(path)
    with mapped(copy) as data:
        for extent in extents(data, path):
            message = data[extent.offset : extent.offset + extent.length]
            with _named(path, extent), opened(message) as handle:
                yield extent, handle, read_header(handle)


@contextlib.contextmanager
def _message(path: str, extent: Extent) -> Iterator[int]:
    with open(local_copy(path), "rb") as stream:
        stream.seek(extent.offset)
        message = stream.read(extent.length)
    with _named(path, extent), opened(message) as handle:
        yield handle


@contextlib.contextmanager
def _named(path: str, extent: Extent) -> Iterator[None]:
    """Errors of the block say which message of which file."""
    try:
        yield
    except StormdrawError as error:
        raise StormdrawError(f"{path}: at byte {extent.offset}: {error}") from None


def _values(path: str, extent: Extent) -> np.ndarray:
    with _message(path, extent) as handle:
        if can_be_read(handle) or _has_rows(handle):
            return decode(handle)
        return decode_in_order(handle)[None]


def _has_rows(handle: int) -> bool:
    """Whether all rows of a grid have as many points: those of a reduced Gaussian one have not."""
    return all(
        eccodes.codes_is_defined(handle, key) and not eccodes.codes_is_missing(handle, key)
        for key in ("Nx", "Ny")
    )


def _points(handle: int) -> CurvilinearGrid:
    """The grid of a message by the places of its points, which ecCodes knows for any map.

    Raises StormdrawError if it does not.
    """
    try:
        found = [eccodes.codes_get_array(handle, key) for key in ("longitudes", "latitudes")]
    except eccodes.CodesInternalError as error:
        kind = eccodes.codes_get(handle, "gridType")
        raise StormdrawError(
            f"a message on a {kind} grid, of which ecCodes does not know the points: {error}"
        ) from None
    if _has_rows(handle):
        return CurvilinearGrid(*(in_map_order(handle, values) for values in found))
    return CurvilinearGrid(*(values[None] for values in found))
