"""Block averages: a grid coarsened by a whole factor."""

import numpy as np

from stormdraw.grids import Grid
from stormdraw.variables import variable


def coarse_grid(grid: Grid, factor: int) -> Grid:
    """The grid of the middles of blocks of `factor` x `factor` points.

    The last blocks keep their size where the grid ends within them: 1059 x 1799 points become
    265 x 450 by a factor of 4.
    """
    if factor == 1:
        return grid
    return Grid(grid.crs, _middles(grid.x, factor), _middles(grid.y, factor))


def fine_grid(grid: Grid, factor: int) -> Grid:
    """The grid whose blocks of `factor` x `factor` points `grid` is made of."""
    if factor == 1:
        return grid
    return Grid(grid.crs, _parts(grid.x, factor), _parts(grid.y, factor))


def _middles(points: tuple[float, ...], factor: int) -> tuple[float, ...]:
    spacing = points[1] - points[0]
    shift = (factor - 1) / 2 * spacing
    return tuple(point + shift for point in points[::factor])


def _parts(points: tuple[float, ...], factor: int) -> tuple[float, ...]:
    spacing = (points[1] - points[0]) / factor
    shift = (factor - 1) / 2 * spacing
    first = points[0] - shift
    return tuple(first + spacing * i for i in range(factor * len(points)))


def coarsen(field: np.ndarray, factor: int, name: str) -> np.ndarray:
    """Means over blocks of a variable's field, (y, x) -> (y', x').

    A point stands for the same area of the map plane as any other, so that the integral over the
    plane is kept. Missing points and those beyond the grid's end do not count; a block of nothing
    else is missing. What the table says is averaged as decibels is averaged as the power it stands
    for: 10 lg(mean(10^(dBZ / 10))).
    """
    if factor == 1:
        return field
    if not variable(name).decibel:
        return _block_means(field, factor).astype(field.dtype)
    power = _block_means(np.power(10.0, field / 10.0), factor)
    return (10.0 * np.log10(power)).astype(field.dtype)


def _block_means(field: np.ndarray, factor: int) -> np.ndarray:
    """float64 (y', x')."""
    shape = tuple(-(-points // factor) for points in field.shape)
    sums, counts = np.zeros(shape), np.zeros(shape)
    for row in range(min(factor, field.shape[0])):
        for column in range(min(factor, field.shape[1])):
            part = field[row::factor, column::factor]
            rows, columns = part.shape
            valid = np.isfinite(part)
            sums[:rows, :columns] += np.where(valid, part, 0.0)
            counts[:rows, :columns] += valid
    return np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
