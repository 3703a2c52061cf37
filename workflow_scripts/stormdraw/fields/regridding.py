"""From one grid to another: interpolation in the source's own projected coordinates."""

import functools

import numpy as np
from scipy.sparse import csr_array

from stormdraw.fields.positions import Positions, positions
from stormdraw.fields.winds import convergence, to_earth, to_grid
from stormdraw.grids import Grid


@functools.lru_cache(maxsize=8)
def regridder(source: Grid, target: Grid) -> "Regridder":
    """The weights of a grid pair, made once in a process."""
    return Regridder(source, target)


class Regridder:
    """Weights from a source grid to a target grid, made when first needed, used for every field.

    Points outside the source are NaN. A NaN among the points that a value is made of makes it NaN.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        self.source = source
        self.target = target
        self.identical = source == target

    def bilinear(self, values: np.ndarray) -> np.ndarray:
        """Weighted mean of the four surrounding points, (y, x) -> (y, x)."""
        if self.identical:
            return values
        mean = self._weights @ values.ravel()
        mean[self._outside] = np.nan
        return mean.reshape(self.target.shape).astype(values.dtype, copy=False)

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """The nearest point's value, for fields with a floor: averaging would smear their edges."""
        if self.identical:
            return values
        chosen = values.ravel()[self._nearest]
        chosen[self._outside] = np.nan
        return chosen.reshape(self.target.shape)

    def wind(
        self, u: np.ndarray, v: np.ndarray, grid_relative: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both wind components, turned to the target grid's axes.

        `grid_relative` says whether they are along the source grid's axes or the compass.
        """
        u, v = self.bilinear(u), self.bilinear(v)
        if grid_relative and self.source.crs == self.target.crs:
            return u, v
        if grid_relative:
            u, v = to_earth(u, v, self._source_angle)
        return to_grid(u, v, self._target_angle)

    @functools.cached_property
    def _positions(self) -> Positions:
        return positions(self.source, self.target)

    @functools.cached_property
    def _outside(self) -> np.ndarray:
        """Indices of the target's points that the source does not cover."""
        return np.flatnonzero(~self._positions.inside)

    @functools.cached_property
    def _weights(self) -> csr_array:
        """Bilinear weights, (target point, source point)."""
        found = self._positions
        rows, columns = self.source.shape
        last = columns - 1 if found.periodic else columns - 2
        row = np.clip(np.floor(found.row), 0, rows - 2).astype(np.int64)
        column = np.clip(np.floor(found.column), 0, last).astype(np.int64)
        up, right = found.row - row, found.column - column
        across = (column + 1) % columns
        corners = [row * columns + column, row * columns + across]
        corners += [corner + columns for corner in corners]
        weights = [(1 - up) * (1 - right), (1 - up) * right, up * (1 - right), up * right]
        count = row.size
        matrix = csr_array(
            (
                np.stack(weights, axis=-1).ravel(),
                np.stack(corners, axis=-1).ravel().astype(np.int32),
                np.arange(0, 4 * count + 1, 4, dtype=np.int32),
            ),
            shape=(count, rows * columns),
        )
        # A point that counts for nothing must not make its neighbour missing when it is itself.
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
    def _source_angle(self) -> np.ndarray:
        return convergence(self.source, *self.target.longitude_latitude()).astype(np.float32)

    @functools.cached_property
    def _target_angle(self) -> np.ndarray:
        return convergence(self.target, *self.target.longitude_latitude()).astype(np.float32)
