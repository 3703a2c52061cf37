"""Regridding by interpolation in the source's own projected coordinates."""

import functools
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack

from stormdraw.curvilinear import SourceGrid
from stormdraw.fields.positions import Positions, longitude_latitude, positions
from stormdraw.fields.winds import convergence, turned
from stormdraw.grids import Grid
from stormdraw.variable_row import Regridding

_ROWS_AT_ONCE = 16
# The least parts per side of a target point's area, and the source points beyond the outermost ones
# that may have a share of it.
_LEAST_PARTS, _BEYOND = 3, 2


@functools.lru_cache(maxsize=8)
def regridder(source: SourceGrid, target: Grid) -> "Regridder":
    """The weights of a grid pair, computed once per process.

    They are not kept on disk: for a whole grid they take a second, half of it for the target's
    longitudes and latitudes, which all models of an ensemble share.
    """
    return Regridder(source, target)


class Regridder:
    """Weights from a source grid to a target grid, computed when first needed and then reused.

    All methods but `cut` take fields cut to the part of the source around the target's points, here
    called `source`. If that part is the target itself, fields stay unchanged. Points outside the
    source are NaN. A NaN among the points that contribute to a value makes it NaN. Of a source that
    is a list of points, every method takes the nearest one's value.
    """

    def __init__(self, source: SourceGrid, target: Grid) -> None:
        self.source: SourceGrid = source
        self.target = target
        self.identical = source == target
        self._window = slice(None), slice(None)
        if not self.identical:
            self._positions = positions(source, target)
            self._cut_source()

    def cut(self, values: np.ndarray) -> np.ndarray:
        """The part of a source field around the target's points, (y, x), as a view."""
        return values[self._window]

    def bilinear(self, values: np.ndarray) -> np.ndarray:
        """Weighted mean of the four surrounding points, (y, x) -> (y, x)."""
        if self.identical:
            return values
        mean = self._weights @ values.ravel()
        mean[self.outside] = np.nan
        return mean.reshape(self.target.shape).astype(values.dtype, copy=False)

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """The nearest point's value, for fields with a floor: averaging would smear their edges."""
        if self.identical:
            return values
        chosen = values.ravel()[self._nearest]
        chosen[self.outside] = np.nan
        return chosen.reshape(self.target.shape)

    def conservative(self, values: np.ndarray) -> np.ndarray:
        """The mean over the area of each target point, (y, x) -> (y, x), which keeps the total.

        Every source point stands for the area that is nearer to it than to others. Shares of areas
        are exact where the axes of the two grids are parallel. ESMF's are exact for any, but it is
        a Fortran library; lighter packages know grids along meridians and parallels only.
        """
        if self.identical:
            return values
        mean = self._area_weights @ values.ravel()
        mean[self.outside] = np.nan
        return mean.reshape(self.target.shape).astype(values.dtype, copy=False)

    def wind(
        self, u: np.ndarray, v: np.ndarray, grid_relative: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both wind components, rotated to the target grid's axes.

        `grid_relative` says whether they follow the source grid's axes or the compass.
        """
        u, v = self.bilinear(u), self.bilinear(v)
        if not grid_relative:
            return turned(u, v, *self._from_compass)
        return (u, v) if self.from_source is None else turned(u, v, *self.from_source)

    def weights(self, regridding: Regridding) -> csr_array:
        """The weights of a kind of regridding, (target point, source point)."""
        if regridding == "bilinear":
            return self._weights
        if regridding == "conservative":
            return self._area_weights
        chosen = self._nearest
        shape = (chosen.size, self.source.shape[0] * self.source.shape[1])
        return csr_array((np.ones(chosen.size), chosen, np.arange(chosen.size + 1)), shape=shape)

    def _cut_source(self) -> None:
        """Reduce the source to the part around the target's points."""
        found, whole = self._positions, self.source
        if not found.inside.any():
            return
        rows = _ends(found.row[found.inside], whole.shape[0])
        columns = _ends(found.column[found.inside], whole.shape[1])
        self._window = rows.nearest, columns.nearest
        self.source = whole.crop(*self._window)
        self.identical = self.source.matches(self.target)
        if self.identical:
            return
        # A part that reaches neither end of the columns is not periodic.
        within = columns.around.start > 0 and columns.around.stop < whole.shape[1]
        periodic = found.periodic and not within
        self._window = rows.around, slice(0, None) if periodic else columns.around
        self.source = whole.crop(*self._window)
        self._positions = replace(
            found,
            row=found.row - self._window[0].start,
            column=found.column - self._window[1].start,
            periodic=periodic,
        )

    @functools.cached_property
    def outside(self) -> np.ndarray:
        """Indices of the target's points that the source does not cover."""
        if self.identical:
            return np.empty(0, np.intp)
        return np.flatnonzero(~self._positions.inside)

    @functools.cached_property
    def _weights(self) -> csr_array:
        """Bilinear weights, (target point, source point)."""
        if self._positions.nearest:
            return self.weights("nearest")
        return bilinear_weights(self._positions, self.source.shape)

    @functools.cached_property
    def _nearest(self) -> np.ndarray:
        """The source point nearest to each target point."""
        return nearest_points(self._positions, self.source.shape)

    @functools.cached_property
    def _area_weights(self) -> csr_array:
        """The share of each target point's area that is of a source point, (target, source)."""
        found, columns = self._positions, self.source.shape[1]
        if found.nearest:
            return self.weights("nearest")
        column = found.column
        if found.periodic:
            column = np.unwrap(np.unwrap(column, axis=0, period=columns), axis=1, period=columns)
        across, along = _Axis.along(found.row), _Axis.along(column)
        parts = max(_LEAST_PARTS, math.ceil(max(across.width.max(), along.width.max())))
        matrices = []
        # A few rows at a time, so that a whole grid needs little memory.
        for first in range(0, self.target.shape[0], _ROWS_AT_ONCE):
            window = slice(first, first + _ROWS_AT_ONCE)
            indices, weights = self._shares(across.cut(window), along.cut(window), parts)
            ends = np.arange(0, indices.size + 1, 4 * parts**2, dtype=np.int32)
            shape = (ends.size - 1, self.source.shape[0] * columns)
            matrix = csr_array((weights, indices, ends), shape=shape)
            matrix.sum_duplicates()
            matrix.eliminate_zeros()
            matrices.append(matrix)
        return csr_array(vstack(matrices, format="csr"))

    def _shares(self, row: "_Axis", column: "_Axis", parts: int) -> tuple[np.ndarray, np.ndarray]:
        """Source points and their shares, one after another for each target point.

        An area is cut into `parts` x `parts`, each no wider than a source point's, and each part
        is shared by the two nearest rows and columns.
        """
        steps = (np.arange(parts) - (parts - 1) / 2) / parts
        indices, weights = [], []
        for up in steps:
            for right in steps:
                for line, of_row in row.neighbours(up, right, parts):
                    for place, of_column in column.neighbours(up, right, parts):
                        there = replace(self._positions, row=line, column=place)
                        indices.append(nearest_points(there, self.source.shape))
                        weights.append((of_row * of_column).ravel() / parts**2)
        return np.stack(indices, axis=-1).ravel(), np.stack(weights, axis=-1).ravel()

    @functools.cached_property
    def _from_compass(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine of the angle from the compass to the target's axes."""
        return _cosine_sine(convergence(self.target, *longitude_latitude(self.target)))

    @functools.cached_property
    def from_source(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Cosine and sine of the angle from the source's axes to the target's, in one rotation.

        Each is (y, x) of the target; None if both grids are of one map.
        """
        if self.source.crs == self.target.crs:
            return None
        points = longitude_latitude(self.target)
        angle = convergence(self.target, *points) - convergence(self.source, *points)
        return _cosine_sine(angle)


def bilinear_weights(found: Positions, shape: tuple[int, int]) -> csr_array:
    """Weights of the four points of a grid of `shape` (y, x) around each position.

    A matrix (position, grid point); positions (y, x) are numbered row by row.
    """
    rows, columns = shape
    last = columns - 1 if found.periodic else columns - 2
    corners = np.empty((*found.row.shape, 4), np.int32)
    weights = np.empty((*found.row.shape, 4))
    # A few rows at a time, so that intermediate values stay in the processor's cache.
    for first in range(0, found.row.shape[0], _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        row = np.clip(np.floor(found.row[part]), 0, rows - 2)
        column = np.clip(np.floor(found.column[part]), 0, last)
        up, right = found.row[part] - row, found.column[part] - column
        here = (row * columns + column).astype(np.int32)
        across = here + np.where(column == columns - 1, 1 - columns, 1).astype(np.int32)
        for corner, (place, weight) in enumerate(
            (
                (here, (1 - up) * (1 - right)),
                (across, (1 - up) * right),
                (here + columns, up * (1 - right)),
                (across + columns, up * right),
            )
        ):
            corners[part, :, corner] = place
            weights[part, :, corner] = weight
    ends = np.arange(0, weights.size + 1, 4, dtype=np.int32)
    matrix = csr_array(
        (weights.ravel(), corners.ravel(), ends), shape=(ends.size - 1, rows * columns)
    )
    # A missing point of weight 0 must not make the value missing.
    matrix.eliminate_zeros()
    return matrix


def nearest_points(found: Positions, shape: tuple[int, int]) -> np.ndarray:
    """The index of the point of a grid of `shape` (y, x) nearest to each position, int32 (n,)."""
    rows, columns = shape
    row = np.clip(np.rint(found.row), 0, rows - 1).astype(np.int32)
    column = np.rint(found.column).astype(np.int32)
    column = column % columns if found.periodic else np.clip(column, 0, columns - 1)
    return (row * columns + column).ravel()


class _Axis(NamedTuple):
    """Positions of target points along an axis of the source, and how far apart they are on it.

    `up` and `right` are the distances to the next target point along y and x, and `width` is that
    of the area of a target point: the side of a square, whichever way it is turned.
    """

    place: np.ndarray
    up: np.ndarray
    right: np.ndarray
    width: np.ndarray

    @classmethod
    def along(cls, place: np.ndarray) -> "_Axis":
        up, right = np.gradient(place)
        return cls(place, up, right, np.hypot(up, right))

    def cut(self, rows: slice) -> "_Axis":
        return _Axis(*(values[rows] for values in self))

    def neighbours(
        self, up: float, right: float, parts: int
    ) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """The two source points that share a part of an area so far from its middle."""
        middle = self.place + up * self.up + right * self.right
        width = np.maximum(self.width / parts, np.finfo(float).tiny)
        lower = np.rint(middle - width / 2)
        share = np.clip((middle + width / 2 - (lower + 0.5)) / width, 0.0, 1.0)
        return (lower, 1.0 - share), (lower + 1, share)


class _Ends(NamedTuple):
    """The points of an axis nearest to some positions, and those around the positions' areas."""

    nearest: slice
    around: slice


def _ends(places: np.ndarray, points: int) -> _Ends:
    first, last = float(places.min()), float(places.max())
    start = max(min(math.floor(first), points - 2) - _BEYOND, 0)
    end = min(max(math.ceil(last), start + 1) + _BEYOND, points - 1)
    return _Ends(slice(round(first), round(last) + 1), slice(start, end + 1))


def _cosine_sine(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    angle = angle.astype(np.float32)
    return np.cos(angle), np.sin(angle)
