"""Regridding by interpolation in the source's own projected coordinates."""

import functools
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from stormdraw.fields.positions import longitude_latitude, positions
from stormdraw.fields.winds import convergence, turned
from stormdraw.grids import Grid

_ROWS_AT_ONCE = 16


@functools.lru_cache(maxsize=8)
def regridder(source: Grid, target: Grid) -> "Regridder":
    """The weights of a grid pair, computed once per process.

    They are not kept on disk: for a whole grid they take a second, half of it for the target's
    longitudes and latitudes, which all models of an ensemble share.
    """
    return Regridder(source, target)


class Regridder:
    """Weights from a source grid to a target grid, computed when first needed and then reused.

    All methods but `cut` take fields cut to the part of the source around the target's points, here
    called `source`. If that part is the target itself, fields stay unchanged. Points outside the
    source are NaN. A NaN among the points that contribute to a value makes it NaN.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        self.source = source
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

    def wind(
        self, u: np.ndarray, v: np.ndarray, grid_relative: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both wind components, rotated to the target grid's axes.

        `grid_relative` says whether they follow the source grid's axes or the compass.
        """
        u, v = self.bilinear(u), self.bilinear(v)
        if not grid_relative:
            return turned(u, v, *self._from_compass)
        if self.source.crs == self.target.crs:
            return u, v
        return turned(u, v, *self._from_source)

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
        self._window = rows.around, slice(0, None) if found.periodic else columns.around
        self.source = whole.crop(*self._window)
        self._positions = replace(
            found,
            row=found.row - self._window[0].start,
            column=found.column - self._window[1].start,
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
        found = self._positions
        rows, columns = self.source.shape
        last = columns - 1 if found.periodic else columns - 2
        corners = np.empty((*self.target.shape, 4), np.int32)
        weights = np.empty((*self.target.shape, 4))
        # A few rows at a time, so that intermediate values stay in the processor's cache.
        for first in range(0, self.target.shape[0], _ROWS_AT_ONCE):
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
        shape = (ends.size - 1, rows * columns)
        matrix = csr_array((weights.ravel(), corners.ravel(), ends), shape=shape)
        # A missing point of weight 0 must not make the value missing.
        matrix.eliminate_zeros()
        return matrix

    @functools.cached_property
    def _nearest(self) -> np.ndarray:
        """The source point nearest to each target point."""
        found = self._positions
        rows, columns = self.source.shape
        row = np.clip(np.rint(found.row), 0, rows - 1).astype(np.int32)
        column = np.rint(found.column).astype(np.int32)
        column = column % columns if found.periodic else np.clip(column, 0, columns - 1)
        return (row * columns + column).ravel()

    @functools.cached_property
    def _from_compass(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine of the angle from the compass to the target's axes."""
        longitude, _ = longitude_latitude(self.target)
        return _cosine_sine(convergence(self.target, longitude))

    @functools.cached_property
    def _from_source(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine of the angle from the source's axes to the target's, in one rotation."""
        longitude, _ = longitude_latitude(self.target)
        angle = convergence(self.target, longitude) - convergence(self.source, longitude)
        return _cosine_sine(angle)


class _Ends(NamedTuple):
    """The points of an axis nearest to some positions, and those around the positions."""

    nearest: slice
    around: slice


def _ends(places: np.ndarray, points: int) -> _Ends:
    first, last = float(places.min()), float(places.max())
    start = min(math.floor(first), points - 2)
    return _Ends(
        slice(round(first), round(last) + 1), slice(start, max(math.ceil(last), start + 1) + 1)
    )


def _cosine_sine(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    angle = angle.astype(np.float32)
    return np.cos(angle), np.sin(angle)
