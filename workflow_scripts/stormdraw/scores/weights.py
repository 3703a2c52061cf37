"""Area weights: how much of the Earth each grid point stands for."""

import numpy as np

from stormdraw.grids import Grid
from stormdraw.map_factor import map_factor


def area_weights(grid: Grid) -> np.ndarray:
    """The true area of each grid cell over the mean of them all, (y, x) float64.

    A cell of a conformal grid covers 1 / m**2 of its area on the map, with the map factor m.
    """
    area = map_factor(grid) ** -2.0
    return area / area.mean()


def describe_weights(by_area: bool) -> str:
    """The choice of weights in a few words."""
    if by_area:
        return "points weighted by their true area, 1 / map factor squared"
    return "all points weighted alike"
