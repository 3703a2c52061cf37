"""A radar mosaic on a coarser grid: what the points of each cell say together."""

import functools

import numpy as np

from stormdraw.archive.truth import Codes
from stormdraw.fields.regridding import regridder
from stormdraw.fields.settings import RadarCells
from stormdraw.fields.source_fields import SourceField
from stormdraw.grids import Grid
from stormdraw.variables import variable

_ROWS_AT_ONCE = 64
_POINTS_AT_ONCE = 4_000_000


@functools.lru_cache(maxsize=2)
def cells(source: Grid, target: Grid) -> "Cells":
    """The cells of a grid pair, computed once per process: a whole mosaic takes many seconds."""
    return Cells(source, target)


class Cells:
    """The source's points by the target point that is nearest to each, the *cell* they are in.

    `window` is the part of the source around the target. `nearest` has the index of the cell of
    each point in it, the number of cells for a point in none, int32 in one dimension. `points` are
    the points in each cell.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        self.shape = target.shape
        self.window = _window(source, target)
        self._finer = regridder(source, target)
        part = source.crop(*self.window)
        # A few rows at a time: positions of 24 million points would take gigabytes.
        self.nearest = np.concatenate(
            [
                np.empty(0, np.int32),
                *(
                    _nearest(part.crop(slice(first, first + _ROWS_AT_ONCE), slice(None)), target)
                    for first in range(0, part.shape[0], _ROWS_AT_ONCE)
                ),
            ]
        )
        self.points = self._count(self.nearest)
        # Cells without a point that the source covers: the target's points are closer together.
        within = np.ones(self.points.size, bool)
        within[self._finer.outside] = False
        self._without = np.flatnonzero(within & (self.points == 0))

    def place(self, field: SourceField, codes: Codes, method: RadarCells) -> np.ndarray:
        """A field of dBZ on the target, float32 (y, x).

        `average` is the mean of linear reflectivity Z = 10^(dBZ / 10) over the covered points of a
        cell, where no echo is Z = 0; `maximum` is the largest dBZ. Both are no lower than the
        variable's floor. A cell is missing if more than half of its points are not covered, or if
        the source does not reach it. A cell without a point takes the nearest.
        """
        floor = variable(field.name).floor or 0.0
        values = field.values[self.window].ravel()
        uncovered = values == codes.no_coverage
        echo = ~uncovered & (values != codes.no_echo)
        covered = self.points - self._count(self.nearest[uncovered])
        at, dbz = self.nearest[echo], values[echo].astype(np.float64)
        together = {"average": self._average, "maximum": self._maximum}[method](at, dbz, covered)
        placed = np.maximum(together, floor)
        placed[(2 * covered < self.points) | (self.points == 0)] = np.nan
        if self._without.size:
            placed[self._without] = self._of_nearest(field, codes, floor)
        return placed.reshape(self.shape).astype(np.float32)

    def _average(self, at: np.ndarray, dbz: np.ndarray, covered: np.ndarray) -> np.ndarray:
        size = self.points.size
        power = np.bincount(at, 10.0 ** (dbz / 10.0), size + 1)[:size]
        with np.errstate(divide="ignore"):
            return 10.0 * np.log10(power / np.maximum(covered, 1))

    def _maximum(self, at: np.ndarray, dbz: np.ndarray, covered: np.ndarray) -> np.ndarray:
        largest = np.full(self.points.size + 1, -np.inf)
        np.maximum.at(largest, at, dbz)
        return largest[:-1]

    def _of_nearest(self, field: SourceField, codes: Codes, floor: float) -> np.ndarray:
        nearest = self._finer.nearest(self._finer.cut(field.values)).ravel()[self._without]
        placed = np.where(nearest == codes.no_echo, floor, np.maximum(nearest, floor))
        return np.where(nearest == codes.no_coverage, np.nan, placed)

    def _count(self, nearest: np.ndarray) -> np.ndarray:
        size = self.shape[0] * self.shape[1]
        counts = np.zeros(size + 1, np.int64)
        # In parts, since counting takes them as 64 bits.
        for first in range(0, nearest.size, _POINTS_AT_ONCE):
            part = nearest[first : first + _POINTS_AT_ONCE]
            counts += np.bincount(part, minlength=size + 1)
        return counts[:size]


def _window(source: Grid, target: Grid) -> tuple[slice, slice]:
    """The rows and columns of the source around the target's points, and a cell more."""
    longitude, latitude = target.longitude_latitude()
    x = np.array(source.x)
    # The branch of longitudes that the source has.
    longitude = x[0] + (longitude - x[0] + 180.0) % 360.0 - 180.0
    margin_y, margin_x = (np.abs(np.gradient(one)).max() for one in (latitude, longitude))
    return (
        _between(np.array(source.y), latitude, margin_y),
        _between(x, longitude, margin_x),
    )


def _between(axis: np.ndarray, places: np.ndarray, margin: float) -> slice:
    first = np.searchsorted(axis, places.min() - margin)
    last = np.searchsorted(axis, places.max() + margin, side="right")
    return slice(int(first), int(last))


def _nearest(source: Grid, target: Grid) -> np.ndarray:
    """The index of the target point nearest to each source point, int32 in one dimension."""
    x, y = target.from_longitude_latitude(*source.longitude_latitude())
    dy, dx = target.spacing
    rows, columns = target.shape
    row, column = np.rint((y - target.y[0]) / dy), np.rint((x - target.x[0]) / dx)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return np.where(inside, row * columns + column, rows * columns).astype(np.int32).ravel()
