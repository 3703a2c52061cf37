"""Area weights: the area of the Earth that each grid point represents."""

import numpy as np

from stormdraw.grids import Grid
from stormdraw.map_factor import map_factor


def area_weights(grid: Grid) -> np.ndarray:
    """The true area of each grid cell relative to the mean, (y, x) float64.

    On a conformal map with map factor m, a cell covers 1 / m**2 of its area on the map.
    """
    area = map_factor(grid) ** -2.0
    return area / area.mean()


def describe_weights(by_area: bool) -> str:
    """The choice of weights in words."""
    if by_area:
        return "points weighted by their true area, 1 / map factor squared"
    return "all points weighted equally"
