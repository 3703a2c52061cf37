"""Zarr and NetCDF files of others, opened with xarray and read a field at a time."""

import functools
import warnings
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.external.case import Case, ExternalField
from stormdraw.external.coordinates import (
    Coordinates,
    index_of,
    index_of_time,
    only_place,
    spelled,
)
from stormdraw.external.dataset_grids import DatasetGrid, read_grid
from stormdraw.external.paths import is_there, local_copy
from stormdraw.times import hours
from stormdraw.units import is_unit
from stormdraw.variables import variable

_ENGINES = {"netcdf": "netcdf4", "zarr": "zarr"}
# Files held open at a time, at about 120 KB each: as many as hold a member if a file is of one
# variable and lead.
_OPEN_AT_ONCE = 256

# CF's standard names by which winds follow the compass, or the axes of a grid.
_ALONG = {
    "eastward_wind": False,
    "northward_wind": False,
    "x_wind": True,
    "y_wind": True,
    "grid_eastward_wind": True,
    "grid_northward_wind": True,
}


@dataclass(frozen=True)
class _File:
    """One file, and the coordinates that its fields are found by."""

    path: str
    coordinates: Coordinates
    member: xr.DataArray | None
    lead: xr.DataArray | None
    init: xr.DataArray | None
    valid: xr.DataArray | None

    @property
    def dataset(self) -> xr.Dataset:
        return self.coordinates.dataset


class Datasets:
    """The files of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        # The one that was asked for last stands last; None for a file that is not there.
        self._files: OrderedDict[str, _File | None] = OrderedDict()
        self._grids: dict[tuple[str, str], DatasetGrid] = {}

    def close(self) -> None:
        """Close all files."""
        while self._files:
            self._close_oldest()

    def members_in(self, path: str) -> list[int]:
        """The members in a file; one, of number 0, if the file does not tell members apart."""
        file = self._opened(path)
        if file is None or not self._of_this_case(file):
            return []
        return [0] if file.member is None else file.coordinates.members(file.member)

    def names_in(self, path: str) -> list[str] | None:
        """The names of all arrays in a file; None if there is no such file."""
        file = self._opened(path)
        return None if file is None else [str(name) for name in file.dataset.data_vars]

    def find(self, path: str, name: str, member: int | None, lead: int) -> ExternalField | None:
        """A field of the case, whose values are not read yet; None if it is not there.

        `member` is None if the path names it.
        """
        file = self._opened(path)
        external = self.case.layout.external_variable(name)
        if file is None or external.name not in file.dataset.data_vars:
            return None
        indexers = self._indexers(file, member, lead)
        if indexers is None:
            return None
        field = file.dataset[external.name]
        selected = self._at(file, field.isel(indexers, missing_dims="ignore"), external.at)
        if selected is None:
            return None
        selected = selected.squeeze(_of_one(selected))
        grid = self._grid(file, selected)
        return ExternalField(
            grid.grid,
            functools.partial(_values, path, grid, selected),
            self._units(path, name, field),
            self._grid_relative(path, name, field),
        )

    def _opened(self, path: str) -> _File | None:
        if path not in self._files:
            if len(self._files) == _OPEN_AT_ONCE:
                self._close_oldest()
            self._files[path] = self._open(path)
        self._files.move_to_end(path)
        return self._files[path]

    def _close_oldest(self) -> None:
        _, file = self._files.popitem(last=False)
        if file is not None:
            file.dataset.close()

    def _open(self, path: str) -> _File | None:
        if not is_there(path):
            return None
        dataset = open_dataset(path, _ENGINES[self.case.format])
        coordinates = Coordinates(dataset, self.case.layout, path)
        found = [coordinates.find(role) for role in ("member", "lead", "init", "valid")]
        # Read once, since every field is looked for by them.
        return _File(path, coordinates, *(one if one is None else one.load() for one in found))

    def _of_this_case(self, file: _File) -> bool:
        """Whether a file has the case's initial time, as far as it says."""
        if file.init is None:
            return True
        return self._place_of_init(file, file.init) is not None

    def _place_of_init(self, file: _File, init: xr.DataArray) -> int | None:
        """The place of the case's initial time along its dimension, 0 if it has none."""
        times = np.atleast_1d(file.coordinates.times(init))
        place = index_of_time(self.case.init, times, f"{file.path}: {init.name}")
        if place is None and times.size == 1 and self.case.path_tells("init"):
            raise StormdrawError(
                f"{file.path}: {init.name} is {spelled(times[0])}; expected the initial time "
                f"of its path, {self.case.init:%Y-%m-%d %H:%M} UTC"
            )
        return place

    def _indexers(self, file: _File, member: int | None, lead: int) -> dict[str, int] | None:
        """Where a field lies along the dimensions of members and times; None if it does not."""
        indexers: dict[str, int] = {}
        if file.init is not None:
            place = self._place_of_init(file, file.init)
            if place is None:
                return None
            indexers |= _along(file.init, place)
        if member is not None and file.member is not None:
            numbers = file.coordinates.members(file.member)
            if member not in numbers:
                return None
            indexers |= _along(file.member, numbers.index(member))
        found = self._place_of_lead(file, lead, indexers)
        if found is None:
            return None
        indexers |= found
        self._require_valid(file, lead, indexers)
        return indexers

    def _place_of_lead(
        self, file: _File, lead: int, indexers: dict[str, int]
    ) -> dict[str, int] | None:
        """Where a lead lies along its dimension, or its valid time along that; None if nowhere."""
        if file.lead is not None:
            along = _reduced(file.lead, indexers)
            leads = np.atleast_1d(file.coordinates.lead_hours(along))
            place = index_of(lead, leads, f"{file.path}: {along.name}")
            if place is None and leads.size == 1 and self.case.path_tells("lead"):
                raise StormdrawError(
                    f"{file.path}: {along.name} is {leads[0]:g} hours; expected the lead of its "
                    f"path, {lead} hours"
                )
            return None if place is None else _along(along, place)
        if file.valid is not None:
            along = _reduced(file.valid, indexers)
            times = np.atleast_1d(file.coordinates.times(along))
            place = index_of_time(self.case.init + hours(lead), times, f"{file.path}: {along.name}")
            if place is None and times.size == 1 and self.case.path_tells("lead"):
                raise self._other_time(along, times[0], lead, file.path)
            return None if place is None else _along(along, place)
        if self.case.path_tells("lead") or (self.case.analysis and file.init is not None):
            return {}
        what, mend = ("time", "{valid:%Y%m%d%H}") if self.case.analysis else ("lead", "{lead}")
        raise StormdrawError(
            f"{file.path}: cannot tell the {what} of its fields; expected a coordinate of leads or "
            f"valid times: name it under layout.lead or layout.valid, or put {mend} into the path"
        )

    def _require_valid(self, file: _File, lead: int, indexers: dict[str, int]) -> None:
        """Raise StormdrawError if the valid time in a file is not that of initial time and lead."""
        if file.valid is None:
            return
        times = np.atleast_1d(file.coordinates.times(_reduced(file.valid, indexers)))
        if times.size == 1 and times[0] != np.datetime64(self.case.init + hours(lead), "s"):
            raise self._other_time(file.valid, times[0], lead, file.path)

    def _other_time(
        self, valid: xr.DataArray, found: np.datetime64, lead: int, path: str
    ) -> StormdrawError:
        return StormdrawError(
            f"{path}: {valid.name} is {spelled(found)}; expected "
            f"{self.case.init + hours(lead):%Y-%m-%d %H:%M} UTC, {lead} hours after "
            f"{self.case.init:%Y-%m-%d %H:%M}"
        )

    def _at(
        self, file: _File, field: xr.DataArray, at: dict[str, int | float | str]
    ) -> xr.DataArray | None:
        """The part of a field at values of further dimensions; None if one is not there."""
        for dim, wanted in at.items():
            if dim not in field.dims:
                raise StormdrawError(
                    f"{file.path}: {field.name} has no dimension {dim}, but "
                    f"{', '.join(map(str, field.dims))}; layout.variables selects {wanted} along it"
                )
            values = field[dim].values if dim in field.coords else np.arange(field.sizes[dim])
            place = only_place(np.asarray(values == wanted), str(wanted), f"{file.path}: {dim}")
            if place is None:
                return None
            field = field.isel({dim: place})
        return field

    def _grid(self, file: _File, field: xr.DataArray) -> DatasetGrid:
        dims = tuple(str(dim) for dim in field.dims)
        spatial = 1 if set(self.case.layout.points) & set(dims) else 2
        if len(dims) != spatial:
            raise StormdrawError(
                f"{file.path}: {field.name} has the dimensions {', '.join(dims) or 'none'} besides "
                "those of times and members; expected two, of a grid: name those of times and "
                "members under layout.lead, layout.member and so on, and select along others under "
                "layout.variables, as in {name: t, at: {level: 850}}"
            )
        key = (file.path, f"{dims} {field.attrs.get('grid_mapping')}")
        if key not in self._grids:
            self._grids[key] = read_grid(file.coordinates, field, dims)
        return self._grids[key]

    def _units(self, path: str, name: str, field: xr.DataArray) -> str:
        units = field.attrs.get("units")
        if units is None or not is_unit(str(units)):
            units = self.case.layout.units.get(name, units)
        if units is None:
            raise StormdrawError(
                f"{path}: {field.name} has no units; expected some, such as "
                f"{variable(name).units}: give them as layout.units.{name}"
            )
        return str(units)

    def _grid_relative(self, path: str, name: str, field: xr.DataArray) -> bool | None:
        """Whether a wind component follows the grid's axes; None if the file does not say."""
        if self.case.layout.winds is not None:
            return self.case.layout.winds == "grid"
        return _ALONG.get(field.attrs.get("standard_name", ""))


def open_dataset(path: str, engine: str) -> xr.Dataset:
    """A file as a dataset whose values are read when they are asked for.

    Raises StormdrawError if it cannot be opened.
    """
    try:
        with warnings.catch_warnings():
            # Stores without consolidated metadata take longer to open, which is no reason to stop.
            warnings.filterwarnings("ignore", message="Failed to open Zarr store with consolidated")
            return xr.open_dataset(
                path if engine == "zarr" else local_copy(path),
                engine=engine,
                chunks=None,
                cache=False,
                decode_timedelta=False,
            )
    # xarray and its engines raise errors of many kinds.
    except Exception as error:
        said = " ".join(str(error).split())
        raise StormdrawError(
            f"{path}: cannot be opened as {engine}: {said}; replace it, or set layout.format"
        ) from None


def _values(path: str, grid: DatasetGrid, field: xr.DataArray) -> np.ndarray:
    """The values of a field, which are read now.

    Raises StormdrawError if they cannot be.
    """
    try:
        return grid.in_map_order(field)
    # As above; a file may be damaged, or its place no longer answer.
    except Exception as error:
        said = " ".join(str(error).split())
        raise StormdrawError(
            f"{path}: {field.name} cannot be read: {said}; replace the file, or run again if it is "
            "not on this machine"
        ) from None


def _along(coordinate: xr.DataArray, place: int) -> dict[str, int]:
    """The indexer of a place along a coordinate's dimension; none if it has none."""
    return {str(dim): place for dim in coordinate.dims}


def _reduced(coordinate: xr.DataArray, indexers: dict[str, int]) -> xr.DataArray:
    """The part of a coordinate at places found so far."""
    return coordinate.isel(indexers, missing_dims="ignore")


def _of_one(field: xr.DataArray) -> list[str]:
    """Dimensions of one value, such as a height, besides the two of a grid."""
    ones = [str(dim) for dim in field.dims if field.sizes[dim] == 1]
    return ones if field.ndim > 2 else []
