"""The positions of points on a grid: those of another grid, or any places."""

import functools
from dataclasses import dataclass

import numpy as np

from stormdraw.curvilinear import CurvilinearGrid, SourceGrid
from stormdraw.grids import SAME_POINT, Grid


@dataclass(frozen=True)
class Positions:
    """Fractional rows and columns of points on a source grid, each (y, x).

    `inside` is False for points beyond the source's outermost points; points within a hundredth of
    a spacing of these count as on them. `periodic` is true if the source circles the Earth, so that
    its first column follows its last. `nearest` is true if the source is a list of points: its
    columns are then whole, and no neighbours of each other.
    """

    row: np.ndarray
    column: np.ndarray
    inside: np.ndarray
    periodic: bool
    nearest: bool = False


@functools.lru_cache(maxsize=2)
def longitude_latitude(target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """`Grid.longitude_latitude`, computed once for all models of an ensemble."""
    return target.longitude_latitude()


def positions(source: SourceGrid, target: Grid) -> Positions:
    """The target's points on the source, in the source's own coordinates."""
    if isinstance(source, CurvilinearGrid):
        return _positions_among(source, *longitude_latitude(target))
    if source.crs == target.crs:
        x, y = np.meshgrid(target.x, target.y)
    else:
        x, y = source.from_longitude_latitude(*longitude_latitude(target))
    return _positions_of(source, x, y)


def positions_of_places(source: Grid, longitude: np.ndarray, latitude: np.ndarray) -> Positions:
    """Places in degrees on the source, all in one row: (1, place)."""
    x, y = source.from_longitude_latitude(longitude[None], latitude[None])
    return _positions_of(source, x, y)


def _positions_of(source: Grid, x: np.ndarray, y: np.ndarray) -> Positions:
    """Points (y, x) in the source's coordinates."""
    dy, dx = source.spacing
    rows, columns = source.shape
    column = (x - source.x[0]) / dx
    periodic = False
    if source.geographic:
        turn = 360.0 / dx
        periodic = columns > turn - 0.5
        # Half a spacing of tolerance, so that a point on the first column is not a full turn beyond
        # it.
        column = (column + 0.5) % turn - 0.5
        column = np.where((column < 0) & periodic, column + turn, column)
    # Rounded to a millionth of a spacing, so that a point on a source point uses that point alone.
    row, inside = _on_axis(np.round((y - source.y[0]) / dy, 6), rows)
    column = np.round(column, 6)
    if not periodic:
        column, across = _on_axis(column, columns)
        inside &= across
    return Positions(row, column, inside, periodic)


def _positions_among(
    source: CurvilinearGrid, longitude: np.ndarray, latitude: np.ndarray
) -> Positions:
    row, column, near = source.places(longitude, latitude)
    rows, columns = source.shape
    row, along = _on_axis(np.round(row, 6), rows)
    column, across = _on_axis(np.round(column, 6), columns)
    return Positions(row, column, near & along & across, periodic=False, nearest=source.is_list)


def _on_axis(place: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions clipped to an axis of `points` points, and whether they lie on it."""
    inside = (place >= -SAME_POINT) & (place <= points - 1 + SAME_POINT)
    return np.clip(place, 0, points - 1), inside
