"""Opens ensembles and analyses of others, whose fields are read one at a time."""

import functools
from collections.abc import Collection, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from stormdraw.curvilinear import SourceGrid, extent
from stormdraw.errors import StormdrawError
from stormdraw.external.case import Case, ExternalField
from stormdraw.external.datasets import Datasets
from stormdraw.external.grib_files import GribFiles
from stormdraw.external.paths import listed
from stormdraw.external.settings import ExternalFiles
from stormdraw.grids import Grid
from stormdraw.times import hours
from stormdraw.units import convert, is_unit
from stormdraw.variables import other_components, variable

# More of a field than this outside its physical bounds is another unit than the file says.
_MOST_OUTSIDE = 0.5


class Reader(Protocol):
    """What reads the files of a case in one format."""

    def __init__(self, case: Case) -> None: ...

    def members_in(self, path: str) -> list[int]:
        """The members in a file; none if there is no such file."""

    def names_in(self, path: str) -> list[str] | None:
        """The names of what is in a file; None if there is no such file."""

    def find(self, path: str, name: str, member: int | None, lead: int) -> ExternalField | None:
        """A field, whose values are not read yet; None if it is not there."""

    def close(self) -> None:
        """Close all files."""


_READERS: dict[str, type[Reader]] = {"netcdf": Datasets, "zarr": Datasets, "grib": GribFiles}


class _Opened:
    """Files of one case; a context manager that closes them."""

    def __init__(self, case: Case, variables: Sequence[str], leads: Sequence[int]) -> None:
        self._case = case
        self._variables, self._leads = tuple(variables), tuple(leads)
        self._reader = _READERS[case.format](case)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    @functools.cached_property
    def members(self) -> list[int]:
        """The members of which anything is there, in order.

        A file that does not tell members apart has one, of number 0. Raises StormdrawError if files
        hold none of the variables.
        """
        template = self._case.template
        if "member" in template.fields:
            return template.members(listed(template.glob(**self._known())), self._choices())
        paths = dict.fromkeys(
            self._path(name, 0, lead) for name in self._variables for lead in self._leads
        )
        self._require_a_variable(list(paths))
        return sorted({number for path in paths for number in self._reader.members_in(path)})

    @functools.cached_property
    def grid(self) -> SourceGrid | None:
        """The grid of the fields; None if there is no field at all."""
        found = self._first(self._variables)
        return None if found is None else found.grid

    @functools.cached_property
    def grid_relative_winds(self) -> bool:
        """Whether wind components follow the axes of the grid; False if they follow the compass.

        Raises StormdrawError if neither the files nor their layout say, and it matters.
        """
        of_vectors = [name for name in self._variables if name in other_components()]
        found = self._first(of_vectors)
        if found is None or found.grid.geographic:
            return False
        if found.grid_relative_winds is None:
            raise StormdrawError(
                f"{self._case.files.path}: does not say whether {', '.join(of_vectors)} follow the "
                "axes of the grid or the compass; set layout.winds to grid or compass"
            )
        return found.grid_relative_winds

    def _first(self, names: Sequence[str]) -> ExternalField | None:
        """The first field of some variables that is there."""
        for lead in self._leads:
            for member in self.members:
                for name in names:
                    found = self._find(name, member, lead)
                    if found is not None:
                        return found
        return None

    def _find(self, name: str, member: int, lead: int) -> ExternalField | None:
        in_path = "member" in self._case.template.fields
        path = self._path(name, member, lead)
        return self._reader.find(path, name, None if in_path else member, lead)

    def _values(self, name: str, member: int, lead: int) -> np.ndarray | None:
        found = self._find(name, member, lead)
        if found is None:
            return None
        path = self._path(name, member, lead)
        own = self.grid
        if own is not None and not _same(found.grid, own):
            raise StormdrawError(
                f"{path}: {name} is on a grid of {extent(found.grid)}; expected that of the "
                f"case's first field, {extent(own)}"
            )
        wanted = variable(name).units
        values = found.read()
        if found.units != wanted:
            try:
                values = convert(values, found.units, wanted)
            except ValueError as error:
                mend = "correct layout.variables, or the file"
                if not is_unit(found.units):
                    mend = f"give them as layout.units.{name}"
                raise StormdrawError(
                    f"{path}: {name} has the units {found.units!r}, expected some of {wanted}: "
                    f"{error}; {mend}"
                ) from None
        values = values.astype(np.float32, copy=False)
        _require_plausible(values, name, path, found.units)
        return values

    def _path(self, name: str, member: int, lead: int) -> str:
        return self._case.template.path(
            **self._known(),
            variable=self._case.layout.in_path(name),
            valid=self._valid(lead),
            lead=lead,
            member=member,
        )

    def _known(self) -> dict[str, Any]:
        return {"name": self._case.name, "init": self._case.init}

    def _choices(self) -> dict[str, Collection[Any]]:
        return {
            "name": [self._case.name],
            "init": [self._case.init],
            "variable": [self._case.layout.in_path(name) for name in self._variables],
            "valid": [self._valid(lead) for lead in self._leads],
            "lead": self._leads,
        }

    def _valid(self, lead: int) -> datetime:
        return self._case.init + hours(lead)

    def _require_a_variable(self, paths: Sequence[str]) -> None:
        held = [(path, self._reader.names_in(path)) for path in paths]
        there = [(path, names) for path, names in held if names is not None]
        wanted = set(self._variables)
        if self._case.format != "grib":
            layout = self._case.layout
            wanted = {layout.external_variable(name).name or name for name in self._variables}
        if there and not any(wanted & set(names) for _, names in there):
            path, names = there[0]
            raise StormdrawError(
                f"{path}: holds {', '.join(names) or 'no variables'}; expected some of "
                f"{', '.join(sorted(wanted))}: say what they are called under layout.variables"
            )


class ExternalForecast(_Opened):
    """The members of one case."""

    def field(self, name: str, member: int, lead: int) -> np.ndarray | None:
        """A field in the table's units, float32 (y, x), rows from south to north; NaN if missing.

        None if there is no such variable, member or lead. Raises StormdrawError for a time, unit or
        grid that cannot be right.
        """
        return self._values(name, member, lead)

    def origin(self, name: str, member: int, lead: int) -> str:
        """The file of a field."""
        return self._path(name, member, lead)


class ExternalState(_Opened):
    """An analysis at one valid time."""

    def field(self, name: str) -> np.ndarray | None:
        """As `ExternalForecast.field`."""
        return self._values(name, self.members[0], 0) if self.members else None

    def origin(self, name: str) -> str:
        """The file of a field."""
        return self._path(name, 0, 0)


def open_forecast(
    files: ExternalFiles, name: str, init: datetime, variables: Sequence[str], leads: Sequence[int]
) -> ExternalForecast:
    """The members of a system called `name` from an initial time, for some variables and leads (h).

    Files are opened when they are needed, and closed at the end of the block.
    """
    return ExternalForecast(Case(files, name, init), variables, leads)


def open_state(
    files: ExternalFiles, name: str, valid: datetime, variables: Sequence[str]
) -> ExternalState:
    """The analysis at a valid time: that of an initial time in the files, if they have some.

    Raises StormdrawError if the path names members, or the files hold several.
    """
    case = Case(files, name, valid, analysis=True)
    if "member" in case.template.fields:
        raise StormdrawError(
            f"{files.path}: has {{member}}, but an analysis has no members; give the path of one"
        )
    state = ExternalState(case, variables, [0])
    if len(state.members) > 1:
        raise StormdrawError(
            f"{state.origin(variables[0])}: holds {len(state.members)} members; expected an "
            "analysis, which has one"
        )
    return state


def _require_plausible(values: np.ndarray, name: str, path: str, units: str) -> None:
    row = variable(name)
    known = values[np.isfinite(values)]
    outside = (known < row.lower - row.precision) | (known > row.upper + row.precision)
    if known.size and outside.mean() > _MOST_OUTSIDE:
        raise StormdrawError(
            f"{path}: {name} has a median of {np.median(known):g} {row.units} if its units are "
            f"{units!r}; expected {row.lower:g} to {row.upper:g}: are its units other ones? "
            "Correct them in the file, or in layout.units if it has none"
        )


def _same(one: SourceGrid, other: SourceGrid) -> bool:
    if isinstance(one, Grid) and isinstance(other, Grid):
        return one is other or one.matches(other)
    return one == other
