"""Where the points of one grid lie between those of another."""

import functools
from dataclasses import dataclass

import numpy as np

from stormdraw.grids import Grid


@dataclass(frozen=True)
class Positions:
    """Fractional rows and columns of the target's points on a source grid, each (y, x).

    `inside` is False for points beyond the source's outermost points. `periodic` if the source goes
    once round the Earth, so that its first column follows its last.
    """

    row: np.ndarray
    column: np.ndarray
    inside: np.ndarray
    periodic: bool


@functools.lru_cache(maxsize=2)
def longitude_latitude(target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """As `Grid.longitude_latitude`, made once for all the models of an ensemble."""
    return target.longitude_latitude()


def positions(source: Grid, target: Grid) -> Positions:
    """The target's points on the source, found in the source's own coordinates."""
    if source.crs == target.crs:
        x, y = np.meshgrid(target.x, target.y)
    else:
        x, y = source.from_longitude_latitude(*longitude_latitude(target))
    dy, dx = source.spacing
    rows, columns = source.shape
    column = (x - source.x[0]) / dx
    periodic = False
    if source.geographic:
        turn = 360.0 / dx
        periodic = columns > turn - 0.5
        # Half a spacing of room, so that a point on the first column is not a turn beyond it.
        column = (column + 0.5) % turn - 0.5
        column = np.where((column < 0) & periodic, column + turn, column)
    # Rounded to a millionth of a spacing, so that a point on the source's edge stays on it.
    row, column = np.round((y - source.y[0]) / dy, 6), np.round(column, 6)
    inside = (row >= 0) & (row <= rows - 1)
    if not periodic:
        inside &= (column >= 0) & (column <= columns - 1)
    return Positions(row, column, inside, periodic)
