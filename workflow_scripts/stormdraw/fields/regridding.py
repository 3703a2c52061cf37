"""From one grid to another: interpolation in the source's own projected coordinates."""

import numpy as np

from stormdraw.fields.winds import convergence, to_earth, to_grid
from stormdraw.grids import Grid


class Regridder:
    """Weights from a source grid to a target grid, made once and used for every field.

    Points outside the source are NaN. A NaN among a point's neighbours makes the point NaN.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        self.source = source
        self.target = target
        self.identical = source == target
        longitude, latitude = target.longitude_latitude()
        x, y = source.from_longitude_latitude(longitude, latitude)
        dy, dx = source.spacing
        # Fractional column and row of each target point on the source grid, (y, x). Rounded to a
        # millionth of a spacing, so that a point on the source's edge does not fall outside it.
        self._column = np.round((x - source.x[0]) / dx, 6)
        self._row = np.round((y - source.y[0]) / dy, 6)
        rows, columns = source.shape
        self._inside = (
            (self._row >= 0)
            & (self._row <= rows - 1)
            & (self._column >= 0)
            & (self._column <= columns - 1)
        )
        self._source_angle = convergence(source, longitude, latitude)
        self._target_angle = convergence(target, longitude, latitude)

    def bilinear(self, values: np.ndarray) -> np.ndarray:
        """Weighted mean of the four surrounding points, (y, x) -> (y, x)."""
        if self.identical:
            return values
        rows, columns = self.source.shape
        row = np.clip(np.floor(self._row).astype(int), 0, rows - 2)
        column = np.clip(np.floor(self._column).astype(int), 0, columns - 2)
        up, right = self._row - row, self._column - column
        result = (
            values[row, column] * (1 - up) * (1 - right)
            + values[row, column + 1] * (1 - up) * right
            + values[row + 1, column] * up * (1 - right)
            + values[row + 1, column + 1] * up * right
        )
        return np.where(self._inside, result, np.nan)

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """The nearest point's value, for fields with a floor: averaging would smear their edges."""
        if self.identical:
            return values
        rows, columns = self.source.shape
        row = np.clip(np.rint(self._row).astype(int), 0, rows - 1)
        column = np.clip(np.rint(self._column).astype(int), 0, columns - 1)
        return np.where(self._inside, values[row, column], np.nan)

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
