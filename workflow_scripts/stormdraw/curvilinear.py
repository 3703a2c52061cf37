"""Grids that are told by the longitudes and latitudes of their points, in no map."""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from stormdraw.errors import StormdrawError
from stormdraw.grids import SAME_POINT, Grid

# Points at a time, so that intermediate values need little memory.
_AT_ONCE = 100_000
# Newton's steps within a cell: each squares the error, which begins at half a cell.
_STEPS = 6
# A point so many spacings from all others is beyond them; half a diagonal is 0.71.
_BEYOND = 1.5
_BEYOND_A_LIST = 0.75
_NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class CurvilinearGrid:
    """Points at longitudes and latitudes in degrees, float64 (y, x), of a map that is unknown.

    Rows and columns are neighbours on Earth, y to the left of x; or there is one row alone, and its
    points are a list in no order.
    """

    longitude: np.ndarray
    latitude: np.ndarray

    geographic = False
    crs = None

    @property
    def shape(self) -> tuple[int, int]:
        """(y, x)."""
        rows, columns = self.longitude.shape
        return rows, columns

    @property
    def is_list(self) -> bool:
        """Whether the points have no rows and columns."""
        return self.shape[0] == 1

    @functools.cached_property
    def _digest(self) -> bytes:
        return hashlib.sha256(self.longitude.tobytes() + self.latitude.tobytes()).digest()

    def __hash__(self) -> int:
        return hash((self.shape, self._digest))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CurvilinearGrid):
            return NotImplemented
        return self.shape == other.shape and self._digest == other._digest

    def matches(self, other: "Grid | CurvilinearGrid") -> bool:
        """Whether the points of both grids are the same, to a hundredth of a spacing."""
        if self is other or self.shape != other.shape:
            return self is other
        apart = np.linalg.norm(self._points - on_sphere(*other.longitude_latitude()), axis=-1)
        return bool((apart < SAME_POINT * self._spacing).all())

    def crop(self, rows: slice, columns: slice) -> "CurvilinearGrid":
        """The part of this grid that `rows` and `columns` select."""
        return CurvilinearGrid(self.longitude[rows, columns], self.latitude[rows, columns])

    def longitude_latitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude in degrees, each (y, x)."""
        return self.longitude, self.latitude

    @functools.cached_property
    def _points(self) -> np.ndarray:
        """(y, x, 3) on the unit sphere."""
        return on_sphere(self.longitude, self.latitude)

    @functools.cached_property
    def _tree(self) -> KDTree:
        return KDTree(self._points.reshape(-1, 3))

    @functools.cached_property
    def _spacing(self) -> np.ndarray:
        """The distance of each point to those around it, on the unit sphere (y, x)."""
        if self.is_list:
            count = min(_NEIGHBOURS, self.shape[1])
            return self._tree.query(self._points.reshape(-1, 3), k=[count])[0].T
        along = [np.linalg.norm(np.gradient(self._points, axis=axis), axis=-1) for axis in (0, 1)]
        return np.maximum(*along)

    def places(
        self, longitude: np.ndarray, latitude: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fractional rows and columns of places in degrees, and which lie within the grid.

        Of a list of points, whole columns: that of the nearest point.
        """
        wanted = on_sphere(longitude, latitude).reshape(-1, 3)
        row, column = np.empty(len(wanted)), np.empty(len(wanted))
        inside = np.empty(len(wanted), bool)
        for first in range(0, len(wanted), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            row[part], column[part], inside[part] = self._places(wanted[part])
        shape = np.shape(longitude)
        return row.reshape(shape), column.reshape(shape), inside.reshape(shape)

    def _places(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        distance, nearest = self._tree.query(wanted)
        row, column = np.divmod(nearest, self.shape[1])
        beyond = _BEYOND_A_LIST if self.is_list else _BEYOND
        inside = distance <= beyond * self._spacing[row, column]
        if self.is_list:
            return row.astype(float), column.astype(float), inside
        here = np.flatnonzero(inside)
        exact_row, exact_column = row.astype(float), column.astype(float)
        exact_row[here], exact_column[here] = self._within_cells(
            wanted[here], exact_row[here], exact_column[here]
        )
        return exact_row, exact_column, inside

    def _within_cells(
        self, wanted: np.ndarray, row: np.ndarray, column: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the bilinear map of rows and columns to places leads to the wanted ones.

        Newton's method in the cell of four points that a place is in; beyond the outermost points,
        in the nearest cell continued.
        """
        rows, columns = self.shape
        points = self._points
        for _ in range(_STEPS):
            south = np.clip(np.floor(row), 0, rows - 2).astype(int)
            west = np.clip(np.floor(column), 0, columns - 2).astype(int)
            up, right = (row - south)[:, None], (column - west)[:, None]
            low_west, low_east = points[south, west], points[south, west + 1]
            high_west, high_east = points[south + 1, west], points[south + 1, west + 1]
            low = low_west + right * (low_east - low_west)
            high = high_west + right * (high_east - high_west)
            along_row = high - low
            along_column = (low_east - low_west) * (1 - up) + (high_east - high_west) * up
            # Of the straight line through the cell, as of the sphere, only the direction counts.
            there = low + up * along_row
            missed = wanted * np.linalg.norm(there, axis=-1, keepdims=True) - there
            steps = _solved(along_row, along_column, missed)
            # Half a grid at most, lest a degenerate cell throws a place off.
            row, column = row + np.clip(steps[0], -1, 1), column + np.clip(steps[1], -1, 1)
        return row, column

    def convergence(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Angle in radians, anticlockwise, from the grid's x axis to true east at places.

        It is that at the nearest point, where x runs from the column before to that behind. Raises
        StormdrawError for a list of points, which has no axes.
        """
        if self.is_list:
            raise StormdrawError(
                "winds that follow the axes of a grid need one, but the points of this file are a "
                "list; set layout.winds to compass, or layout.shape to their rows and columns"
            )
        _, nearest = self._tree.query(on_sphere(longitude, latitude).reshape(-1, 3))
        along = np.gradient(self._points, axis=1).reshape(-1, 3)[nearest]
        at = self._points.reshape(-1, 3)[nearest]
        east = np.stack([-at[:, 1], at[:, 0], np.zeros(len(at))], axis=-1)
        north = np.cross(at, east)
        angle = np.arctan2((along * north).sum(-1), (along * east).sum(-1))
        return -angle.reshape(np.shape(longitude))


SourceGrid = Grid | CurvilinearGrid


def extent(grid: SourceGrid) -> str:
    """The size of a grid and its south-western and north-eastern corners, for messages."""
    rows, columns = grid.shape
    corners = []
    for end in (slice(0, 1), slice(-1, None)):
        longitude, latitude = grid.crop(end, end).longitude_latitude()
        corners.append(f"{latitude[0, 0]:.4f} N {longitude[0, 0]:.4f} E")
    return f"{rows} x {columns} points from {' to '.join(corners)}"


def on_sphere(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Degrees as points of the unit sphere, (..., 3)."""
    east, north = np.deg2rad(longitude), np.deg2rad(latitude)
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1
    )


def _solved(
    first: np.ndarray, second: np.ndarray, sums: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The shares of two vectors (n, 3) whose sum comes nearest to a third."""
    a, b, c = (first * first).sum(-1), (first * second).sum(-1), (second * second).sum(-1)
    p, q = (first * sums).sum(-1), (second * sums).sum(-1)
    determinant = np.maximum(a * c - b * b, np.finfo(float).tiny)
    return (p * c - q * b) / determinant, (q * a - p * b) / determinant
