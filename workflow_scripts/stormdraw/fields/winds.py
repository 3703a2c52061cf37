"""Turning wind components between a grid's axes and the compass.

Every file that stormdraw writes has winds along the x and y axes of its own grid.
"""

import numpy as np
import pyproj

from stormdraw.grids import Grid

# Where the cone's constant is read off: far from the middle, where PROJ tells it most exactly.
_DEGREES_OFF = 60.0


def convergence(grid: Grid, longitude: np.ndarray) -> np.ndarray:
    """Angle in radians, anticlockwise, from the grid's x axis to true east at each longitude.

    On Lambert's, the polar stereographic and Mercator's map alike this is n (longitude - central
    longitude), with n the sine of the standard parallel of a cone that touches, 1 at a pole and 0
    on a cylinder. PROJ calls it the meridian convergence; of it n is taken, once a grid, since PROJ
    needs a microsecond a point. The axes of a latitude-longitude grid are those of the compass.
    """
    if grid.geographic:
        return np.zeros(np.shape(longitude))
    operation = grid.projection.coordinate_operation
    parameters = () if operation is None else operation.params
    central = next(float(p.value) for p in parameters if p.name.startswith("Longitude of"))
    factors = pyproj.Proj(grid.projection).get_factors(central + _DEGREES_OFF, 0.0)
    constant = factors.meridian_convergence / _DEGREES_OFF
    return np.deg2rad(constant * ((longitude - central + 180.0) % 360.0 - 180.0))


def turned(
    u: np.ndarray, v: np.ndarray, cosine: np.ndarray, sine: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Eastward and northward components -> those along the x and y axes of a grid.

    `cosine` and `sine` are of the grid's convergence; of minus that, they turn back. Between two
    grids the angle is that of the grid they are turned to minus that of the one they come from.
    """
    return u * cosine - v * sine, u * sine + v * cosine
