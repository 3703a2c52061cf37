"""The grids of the other models and products, and regridding from the world's own."""

import functools
from dataclasses import dataclass

import numpy as np
import pyproj

from stormdraw.grids import Grid, lambert, latitude_longitude
from stormdraw.simulated.base import BASE
from stormdraw.simulated.domain import in_microdegrees
from stormdraw.variables import variable, vectors

# Points of a grid beyond each side of the window, for interpolation to the window.
_MARGIN = 3

# NCEP grid 227, the 5 km grid of HiResW's and HREF's files over CONUS.
_NCEP_227 = lambert(
    first_latitude=12.19,
    first_longitude=226.541,
    shape=(1025, 1473),
    spacing=(5079.0, 5079.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)

# The base model's projection, but half a cell off its points, so that NAM's files need
# interpolation.
_NAM_NEST = Grid(
    BASE.grid.crs,
    tuple(x + 1500.0 for x in BASE.grid.x[:2]),
    tuple(y + 1500.0 for y in BASE.grid.y[:2]),
)


def five_kilometre_grid(window: Grid) -> Grid:
    """The part of NCEP grid 227 that covers the window."""
    return _covering(_NCEP_227, window)


def nam_nest_grid(window: Grid) -> Grid:
    """A separate 3 km grid for NAM that covers the window."""
    return _covering(_NAM_NEST, window)


def quarter_degree_grid(window: Grid) -> Grid:
    """The part of GFS's grid of 0.25 degree that covers the window, a point more on each side.

    Longitudes run from 0 to 360 degrees, as in GFS's files.
    """
    longitude, latitude = window.longitude_latitude()
    west, east = _quarters(longitude % 360.0)
    south, north = _quarters(latitude)
    shape = (round(4 * (north - south)) + 1, round(4 * (east - west)) + 1)
    return latitude_longitude(west, east, south, north, shape)


def _quarters(covered: np.ndarray) -> tuple[float, float]:
    """The first and last quarter of a degree around some degrees, and one more each."""
    return (np.floor(4 * covered.min()) - 1) / 4, (np.ceil(4 * covered.max()) + 1) / 4


def _covering(lattice: Grid, window: Grid) -> Grid:
    """The points of an infinite lattice that cover the window with a margin."""
    longitude, latitude = window.longitude_latitude()
    x, y = lattice.from_longitude_latitude(longitude, latitude)
    return in_microdegrees(Grid(lattice.crs, _points(lattice.x, x), _points(lattice.y, y)))


def _points(axis: tuple[float, ...], covered: np.ndarray) -> tuple[float, ...]:
    spacing = axis[1] - axis[0]
    first = int(np.floor((covered.min() - axis[0]) / spacing)) - _MARGIN
    last = int(np.ceil((covered.max() - axis[0]) / spacing)) + _MARGIN
    return tuple(axis[0] + spacing * index for index in range(first, last + 1))


@dataclass(frozen=True)
class Places:
    """Points on no grid, each (place,), in degrees; winds there follow the compass."""

    longitude: np.ndarray
    latitude: np.ndarray

    def longitude_latitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Degrees east and north."""
        return self.longitude, self.latitude


@dataclass(frozen=True)
class Interpolation:
    """Interpolation of fields from a grid to another, or to places."""

    source: Grid
    target: Grid | Places

    def apply(self, fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All fields (y, x) on the target grid, winds rotated to its axes.

        Interpolation is bilinear, except that variables with a floor take the nearest point, since
        the floor must not be averaged with other values. Points beyond the source take its edge.
        """
        fields = {
            name: self._nearest(values) if _has_floor(name) else self._bilinear(values)
            for name, values in fields.items()
        }
        for u, v in vectors().items():
            if u in fields and v in fields:
                fields[u], fields[v] = self._turn(fields[u], fields[v])
        return fields

    @functools.cached_property
    def _position(self) -> tuple[np.ndarray, np.ndarray]:
        """Fractional rows and columns of the target's points in the source, each (y, x)."""
        x, y = self.source.from_longitude_latitude(*self.target.longitude_latitude())
        dy, dx = self.source.spacing
        rows, columns = self.source.shape
        row = np.clip((y - self.source.y[0]) / dy, 0.0, rows - 1.0)
        column = np.clip((x - self.source.x[0]) / dx, 0.0, columns - 1.0)
        return row, column

    def _nearest(self, values: np.ndarray) -> np.ndarray:
        row, column = self._position
        return values[np.rint(row).astype(int), np.rint(column).astype(int)]

    def _bilinear(self, values: np.ndarray) -> np.ndarray:
        row, column = self._position
        rows, columns = self.source.shape
        i = np.minimum(row.astype(int), rows - 2)
        j = np.minimum(column.astype(int), columns - 2)
        up, right = row - i, column - j
        south = (1 - right) * values[i, j] + right * values[i, j + 1]
        north = (1 - right) * values[i + 1, j] + right * values[i + 1, j + 1]
        return (1 - up) * south + up * north

    @functools.cached_property
    def _angle(self) -> np.ndarray:
        """Angle in radians from the source's x axis to the target's at the target's points."""
        longitude, latitude = self.target.longitude_latitude()
        convergence = [
            # The axes of a latitude-longitude grid follow the compass.
            np.zeros(longitude.shape)
            if isinstance(grid, Places) or grid.geographic
            else pyproj.Proj(grid.projection).get_factors(longitude, latitude).meridian_convergence
            for grid in (self.source, self.target)
        ]
        return np.radians(convergence[0] - convergence[1])

    def _turn(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Components along the target's axes of a wind given along the source's."""
        cosine, sine = np.cos(self._angle), np.sin(self._angle)
        return cosine * u + sine * v, cosine * v - sine * u


def _has_floor(name: str) -> bool:
    return variable(name).floor is not None
