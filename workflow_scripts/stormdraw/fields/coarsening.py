"""Block averages: coarsening a grid by a whole factor."""

import numpy as np

from stormdraw.grids import Grid
from stormdraw.variables import variable


def coarse_grid(grid: Grid, factor: int) -> Grid:
    """The grid of the centres of blocks of `factor` x `factor` points.

    Points beyond the last whole block are left out: a factor of 4 turns 1059 x 1799 points into 264
    x 449. A partial block would be an average over another area, with its centre off the grid.
    """
    if factor == 1:
        return grid
    return Grid(grid.crs, _centres(grid.x, factor), _centres(grid.y, factor))


def fine_grid(grid: Grid, factor: int) -> Grid:
    """The grid whose blocks of `factor` x `factor` points have their centres on `grid`."""
    if factor == 1:
        return grid
    return Grid(grid.crs, _parts(grid.x, factor), _parts(grid.y, factor))


def _centres(points: tuple[float, ...], factor: int) -> tuple[float, ...]:
    spacing = points[1] - points[0]
    shift = (factor - 1) / 2 * spacing
    return tuple(points[factor * i] + shift for i in range(len(points) // factor))


def _parts(points: tuple[float, ...], factor: int) -> tuple[float, ...]:
    spacing = (points[1] - points[0]) / factor
    shift = (factor - 1) / 2 * spacing
    first = points[0] - shift
    return tuple(first + spacing * i for i in range(factor * len(points)))


def coarsen(field: np.ndarray, factor: int, name: str) -> np.ndarray:
    """Means over the whole blocks of a variable's field, (y, x) -> (y // factor, x // factor).

    All points represent the same area of the map plane, so the integral over the plane is
    conserved. Missing points do not count; a block without other points is missing. Variables in
    decibels are averaged as power: 10 lg(mean(10^(dBZ / 10))).
    """
    if factor == 1:
        return field
    if not variable(name).decibel:
        return _block_means(field, factor).astype(field.dtype)
    power = _block_means(np.power(10.0, field / 10.0), factor)
    return (10.0 * np.log10(power)).astype(field.dtype)


def _block_means(field: np.ndarray, factor: int) -> np.ndarray:
    """The block means, float64 (y', x')."""
    rows, columns = (points // factor for points in field.shape)
    sums, counts = np.zeros((rows, columns)), np.zeros((rows, columns))
    whole = field[: factor * rows, : factor * columns]
    for row in range(factor):
        for column in range(factor):
            part = whole[row::factor, column::factor]
            valid = np.isfinite(part)
            sums += np.where(valid, part, 0.0)
            counts += valid
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
