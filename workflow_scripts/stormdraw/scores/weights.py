"""Area weights: the area of the Earth that each grid point represents."""

import numpy as np
import pyproj

from stormdraw.grids import Grid


def area_weights(grid: Grid) -> np.ndarray:
    """The true area of each grid cell relative to the mean, (y, x) float64.

    A cell covers its area on the map over PROJ's areal scale there. That is the map factor squared
    on a conformal map, 1 on an equal-area one, and 1 / cos(latitude) on a grid of degrees.
    """
    factors = pyproj.Proj(grid.crs).get_factors(*grid.longitude_latitude())
    area = 1.0 / np.asarray(factors.areal_scale)
    return area / area.mean()


def describe_weights(by_area: bool) -> str:
    """The choice of weights in words."""
    if by_area:
        return "points weighted by their true area, 1 / the areal scale of the map"
    return "all points weighted equally"
