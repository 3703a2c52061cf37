"""Turning wind components between a grid's axes and the compass.

Every file that stormdraw writes has winds along the x and y axes of its own grid.
"""

import numpy as np
import pyproj

from stormdraw.grids import Grid


def convergence(grid: Grid, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Angle in radians, anticlockwise, from the grid's x axis to true east at each point.

    On a Lambert cone of constant n this is n (longitude - central longitude); PROJ calls it the
    meridian convergence. The axes of a latitude-longitude grid are those of the compass.
    """
    if grid.geographic:
        return np.zeros(np.shape(longitude))
    factors = pyproj.Proj(grid.projection).get_factors(longitude, latitude)
    return np.deg2rad(factors.meridian_convergence)


def to_grid(
    eastward: np.ndarray, northward: np.ndarray, angle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Eastward and northward components -> those along the grid's x and y axes."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return eastward * cosine - northward * sine, eastward * sine + northward * cosine


def to_earth(u: np.ndarray, v: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Components along the grid's x and y axes -> eastward and northward ones."""
    return to_grid(u, v, -angle)
