"""The grid of a dataset's fields: by CF grid mapping, or by latitudes and longitudes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import xarray as xr

from stormdraw.curvilinear import CurvilinearGrid, SourceGrid
from stormdraw.errors import StormdrawError
from stormdraw.external.coordinates import Coordinates
from stormdraw.grids import SAME_POINT, Grid, latitude_longitude
from stormdraw.units import convert

# Degrees between a point by its map and by its own latitude and longitude: a latitude on a sphere
# and one on an ellipsoid differ by up to 0.19.
_MOST_APART = 0.25


@dataclass(frozen=True)
class DatasetGrid:
    """A grid, and how fields of a dataset lie on it.

    `dims` are the dimensions along y and x, or that of a list of points, which `shape` makes rows
    and columns. `southwards` and `westwards` say that the file's rows run from north to south, and
    its columns from east to west.
    """

    grid: SourceGrid
    dims: tuple[str, ...]
    shape: tuple[int, int]
    southwards: bool = False
    westwards: bool = False

    def in_map_order(self, field: xr.DataArray) -> np.ndarray:
        """The values of a field (y, x), rows from south to north and columns from west to east."""
        values = field.transpose(*self.dims).values.reshape(self.shape)
        rows, columns = (-1 if turned else 1 for turned in (self.southwards, self.westwards))
        return np.ascontiguousarray(values[::rows, ::columns])


def read_grid(coordinates: Coordinates, field: xr.DataArray, dims: Sequence[str]) -> DatasetGrid:
    """The grid of a field, whose dimensions apart from times, members and levels are `dims`.

    Raises StormdrawError if the file does not say where its points are, or says what cannot be.
    """
    mapping = _grid_mapping(coordinates, field)
    axes = None if coordinates.layout.told_by_places else _axes(coordinates, "y", "x", dims)
    if mapping is not None and axes is not None and not _is_of_the_compass(mapping):
        return _projected(coordinates, mapping, *axes)
    latitude = _in_degrees(coordinates, "latitude")
    longitude = _in_degrees(coordinates, "longitude")
    if latitude is not None and longitude is not None:
        _require_degrees(coordinates, latitude, longitude)
        along = {*latitude.dims, *longitude.dims}
        if along == set(dims):
            return _of_places(coordinates, mapping, latitude, longitude)
    raise StormdrawError(
        f"{coordinates.origin}: cannot tell where the points of {field.name} are, which has the "
        f"dimensions {', '.join(dims)}; expected a CF grid mapping, or latitudes and longitudes: "
        "name them under layout.latitude and layout.longitude"
    )


def _is_of_the_compass(mapping: pyproj.CRS) -> bool:
    """Whether x and y are longitude and latitude, which those of a rotated pole are not."""
    return mapping.is_geographic and not mapping.is_derived


def _axes(
    coordinates: Coordinates, along_y: str, along_x: str, dims: Sequence[str]
) -> tuple[xr.DataArray, xr.DataArray] | None:
    """The coordinates of two dimensions of a field, if the file has them."""
    y, x = coordinates.find(along_y), coordinates.find(along_x)
    if y is None or x is None or y.ndim != 1 or x.ndim != 1:
        return None
    if set(dims) != {y.dims[0], x.dims[0]} or len(dims) != 2:
        return None
    return y, x


def _grid_mapping(coordinates: Coordinates, field: xr.DataArray) -> pyproj.CRS | None:
    """The map of a field; None if neither file nor layout says."""
    if coordinates.layout.crs is not None:
        return pyproj.CRS(coordinates.layout.crs)
    dataset = coordinates.dataset
    named = str(field.attrs.get("grid_mapping", field.encoding.get("grid_mapping", "")))
    # CF's longer form is `crs: x y other: latitude longitude`.
    name = named.partition(":")[0].strip()
    if name and name not in dataset.variables:
        raise StormdrawError(
            f"{coordinates.origin}: {field.name} has the grid mapping {name!r}, which is not in "
            "the file; say what the map is under layout.crs"
        )
    if not name:
        mappings = [
            key for key, said in dataset.variables.items() if "grid_mapping_name" in said.attrs
        ]
        if len(mappings) != 1:
            return None
        name = str(mappings[0])
    return _from_cf(coordinates.origin, name, dataset.variables[name].attrs)


def _from_cf(origin: str, name: str, attributes: dict[str, Any]) -> pyproj.CRS:
    # What stormdraw writes beside CF's attributes, exactly.
    if "proj4" in attributes:
        return pyproj.CRS(attributes["proj4"])
    plain = {
        key: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for key, value in attributes.items()
    }
    try:
        return pyproj.CRS.from_cf(plain)
    except (pyproj.exceptions.CRSError, KeyError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise StormdrawError(
            f"{origin}: the grid mapping {name} is {plain.get('grid_mapping_name', 'unnamed')}, "
            f"of which PROJ makes no map: {said}; say what it is under layout.crs"
        ) from None


def _projected(
    coordinates: Coordinates, mapping: pyproj.CRS, y: xr.DataArray, x: xr.DataArray
) -> DatasetGrid:
    unit = "degree" if mapping.is_geographic else "m"
    southwards, ys = _ascending(coordinates, y, _in_unit(coordinates, y, unit))
    along_x = _in_unit(coordinates, x, unit)
    if mapping.is_geographic:
        along_x = np.unwrap(along_x, period=360.0)
    westwards, xs = _ascending(coordinates, x, along_x)
    for coordinate, values in ((y, ys), (x, xs)):
        if not _is_regular(values):
            raise StormdrawError(
                f"{coordinates.origin}: {coordinate.name} is not evenly spaced; expected the same "
                "distance between all points of a map"
            )
    grid = Grid(mapping.to_wkt(), _evenly(xs), _evenly(ys))
    _require_on_earth(coordinates, grid)
    _require_the_same_places(coordinates, grid, y, x)
    return DatasetGrid(grid, (str(y.dims[0]), str(x.dims[0])), grid.shape, southwards, westwards)


def _of_places(
    coordinates: Coordinates,
    mapping: pyproj.CRS | None,
    latitude: xr.DataArray,
    longitude: xr.DataArray,
) -> DatasetGrid:
    """The grid of latitudes and longitudes: an axis each, or one of each for every point."""
    if latitude.ndim == longitude.ndim == 1 and latitude.dims != longitude.dims:
        return _of_axes(coordinates, mapping, latitude, longitude)
    dims = tuple(str(dim) for dim in latitude.dims)
    longitude = longitude.transpose(*dims)
    rows_of_y = 1 in longitude.shape or len(dims) == 1
    if not rows_of_y and _along_columns(longitude.values.astype(float)):
        dims = dims[::-1]
        latitude, longitude = latitude.transpose(*dims), longitude.transpose(*dims)
    shape = coordinates.layout.shape if len(dims) == 1 else latitude.shape
    if shape is None or 1 in shape:
        places = [found.values.astype(float).reshape(1, -1) for found in (longitude, latitude)]
        return DatasetGrid(CurvilinearGrid(*places), dims, (1, latitude.size))
    rows, columns = shape
    if rows * columns != latitude.size:
        raise StormdrawError(
            f"{coordinates.origin}: {latitude.name} has {latitude.size} points; expected "
            f"{rows} x {columns}, as layout.shape says"
        )
    return _of_points(
        mapping,
        dims,
        *(found.values.reshape(shape).astype(float) for found in (latitude, longitude)),
    )


def _along_columns(longitude: np.ndarray) -> bool:
    """Whether longitudes change more from row to row than from column to column."""
    down, right = (
        np.median(np.abs(np.diff(np.unwrap(longitude, period=360.0, axis=axis), axis=axis)))
        for axis in (0, 1)
    )
    return bool(down > right)


def _of_points(
    mapping: pyproj.CRS | None, dims: tuple[str, ...], latitude: np.ndarray, longitude: np.ndarray
) -> DatasetGrid:
    """The grid of places (y, x) in the file's order: regular, if all rows and columns are alike."""
    shape = (latitude.shape[0], latitude.shape[1])
    turned = np.unwrap(longitude, period=360.0)
    alike = np.ptp(latitude, axis=1).max() == 0 and np.ptp(turned % 360.0, axis=0).max() == 0
    southwards = bool(np.median(np.diff(latitude, axis=0)) < 0)
    westwards = bool(np.median(np.diff(turned, axis=1)) < 0)
    rows, columns = (-1 if back else 1 for back in (southwards, westwards))
    ys, xs = latitude[::rows, 0], turned[0, ::columns]
    if alike and _is_regular(ys) and _is_regular(xs):
        return DatasetGrid(_degrees(mapping, ys, xs), dims, shape, southwards, westwards)
    places = [np.ascontiguousarray(found[::rows, ::columns]) for found in (longitude, latitude)]
    return DatasetGrid(CurvilinearGrid(*places), dims, shape, southwards, westwards)


def _of_axes(
    coordinates: Coordinates,
    mapping: pyproj.CRS | None,
    latitude: xr.DataArray,
    longitude: xr.DataArray,
) -> DatasetGrid:
    southwards, ys = _ascending(coordinates, latitude, latitude.values.astype(float))
    turned = np.unwrap(longitude.values.astype(float), period=360.0)
    westwards, xs = _ascending(coordinates, longitude, turned)
    if xs[-1] - xs[0] > 360.0 * (1 + SAME_POINT / len(xs)):
        raise StormdrawError(
            f"{coordinates.origin}: {longitude.name} spans {xs[-1] - xs[0]:g} degrees; expected "
            "360 at most"
        )
    if _is_regular(ys) and _is_regular(xs):
        grid: SourceGrid = _degrees(mapping, ys, xs)
    else:
        grid = CurvilinearGrid(*np.meshgrid(xs, ys))
    dims = (str(latitude.dims[0]), str(longitude.dims[0]))
    return DatasetGrid(grid, dims, (len(ys), len(xs)), southwards, westwards)


def _degrees(mapping: pyproj.CRS | None, ys: np.ndarray, xs: np.ndarray) -> Grid:
    radii: dict[str, float] = {}
    if mapping is not None and mapping.ellipsoid is not None:
        own = mapping.ellipsoid
        radii = {"radius": own.semi_major_metre, "polar_radius": own.semi_minor_metre}
    return latitude_longitude(
        float(xs[0]), float(xs[-1]), float(ys[0]), float(ys[-1]), (len(ys), len(xs)), **radii
    )


def _in_degrees(coordinates: Coordinates, role: str) -> xr.DataArray | None:
    """Latitudes or longitudes in degrees, if a file has some: ICON's are in radians."""
    found = coordinates.find(role)
    if found is None:
        return None
    if found.ndim > 2:
        # WRF's have a time as well.
        found = found.squeeze([dim for dim in found.dims if found.sizes[dim] == 1])
    if not str(found.attrs.get("units")).startswith("rad"):
        return found
    return found.copy(data=np.rad2deg(found.values.astype(float)))


def _require_degrees(
    coordinates: Coordinates, latitude: xr.DataArray, longitude: xr.DataArray
) -> None:
    """Raise StormdrawError for latitudes and longitudes that are nowhere on Earth."""
    for coordinate, lower, upper in ((latitude, -90.0, 90.0), (longitude, -360.0, 540.0)):
        values = coordinate.values.astype(float)
        # Rounding of float32 may lead a little beyond a pole.
        wrong = ~((values >= lower - 1e-4) & (values <= upper + 1e-4))
        if wrong.any():
            raise StormdrawError(
                f"{coordinates.origin}: {coordinate.name} holds {values[wrong][0]:g}; expected "
                f"degrees from {lower:g} to {upper:g}"
            )


def _in_unit(coordinates: Coordinates, coordinate: xr.DataArray, wanted: str) -> np.ndarray:
    values = coordinate.values.astype(float)
    units = coordinate.attrs.get("units")
    if units is None and coordinates.layout.crs is not None:
        return values
    try:
        return values if units == wanted else convert(values, str(units), wanted)
    except ValueError as error:
        raise StormdrawError(
            f"{coordinates.origin}: {coordinate.name} has the units {units!r}, which are no "
            f"{wanted}: {error}"
        ) from None


def _ascending(
    coordinates: Coordinates, coordinate: xr.DataArray, values: np.ndarray
) -> tuple[bool, np.ndarray]:
    """Whether an axis falls, and its values in rising order."""
    steps = np.diff(values)
    if len(values) < 2 or not ((steps > 0).all() or (steps < 0).all()):
        raise StormdrawError(
            f"{coordinates.origin}: {coordinate.name} has {len(values)} values that do not all "
            "rise or all fall; expected an axis of a grid, of two points or more"
        )
    falls = bool(steps[0] < 0)
    return falls, values[::-1] if falls else values


def _is_regular(values: np.ndarray) -> bool:
    even = np.linspace(values[0], values[-1], len(values))
    return bool((np.abs(values - even) < SAME_POINT * abs(even[1] - even[0])).all())


def _evenly(values: np.ndarray) -> tuple[float, ...]:
    """Evenly spaced values without the rounding of float32."""
    return tuple(np.linspace(values[0], values[-1], len(values)).tolist())


def _require_on_earth(coordinates: Coordinates, grid: Grid) -> None:
    """Raise StormdrawError if the corners of a map are nowhere."""
    corners = Grid(grid.crs, grid.x[:: len(grid.x) - 1], grid.y[:: len(grid.y) - 1])
    if not np.isfinite(corners.longitude_latitude()).all():
        raise StormdrawError(
            f"{coordinates.origin}: x from {grid.x[0]:g} to {grid.x[-1]:g} and y from "
            f"{grid.y[0]:g} to {grid.y[-1]:g} lie nowhere on its map; expected places on Earth"
        )


def _require_the_same_places(
    coordinates: Coordinates, grid: Grid, y: xr.DataArray, x: xr.DataArray
) -> None:
    """Raise StormdrawError if a file's latitudes and longitudes are not those of its map.

    The last corner may be off by what another shape of the Earth makes.
    """
    found = [_in_degrees(coordinates, role) for role in ("longitude", "latitude")]
    dims = {y.dims[0], x.dims[0]}
    corner = {y.dims[0]: int(np.argmax(y.values)), x.dims[0]: int(np.argmax(x.values))}
    own = [float(p.isel(corner)) for p in found if p is not None and set(p.dims) == dims]
    if len(own) < len(found):
        return
    last = np.array(grid.x[-1:]), np.array(grid.y[-1:])
    by_map = [float(angle[0]) for angle in grid.to_longitude_latitude(*last)]
    east = (own[0] - by_map[0] + 180.0) % 360.0 - 180.0
    apart = np.hypot(east * np.cos(np.deg2rad(own[1])), own[1] - by_map[1])
    if apart > _MOST_APART:
        raise StormdrawError(
            f"{coordinates.origin}: its last point is at {by_map[1]:.3f} N {by_map[0]:.3f} E by "
            f"{x.name}, {y.name} and their map, and at {own[1]:.3f} N {own[0]:.3f} E by its "
            "latitudes and longitudes; expected the same place: say what the map is under "
            "layout.crs, or correct the file"
        )
