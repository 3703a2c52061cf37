"""Rotates wind components between a grid's axes and the compass.

In every file that stormdraw writes, winds follow the x and y axes of the file's grid.
"""

import numpy as np
import pyproj

from stormdraw.curvilinear import CurvilinearGrid, SourceGrid
from stormdraw.grids import Grid

# Degrees of longitude from the central one at which the cone constant is derived: far from it,
# PROJ's convergence gives the constant most exactly.
_DEGREES_OFF = 60.0


# Maps on which the angle grows evenly with longitude; a stereographic one only if polar.
_CONES = ("+proj=lcc ", "+proj=merc ", "+proj=stere +lat_0=90 ", "+proj=stere +lat_0=-90 ")


def convergence(grid: SourceGrid, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Angle in radians, anticlockwise, from the grid's x axis to true east at each point.

    On Lambert conformal, polar stereographic and Mercator maps this is n (longitude - central
    longitude). Here n is the sine of the standard parallel of a tangent cone, 1 at a pole and 0 on
    a cylinder. PROJ calls the angle the meridian convergence, but needs a microsecond per point; so
    n is derived from it once per grid; only on other maps is PROJ asked for each point. The axes of
    a latitude-longitude grid follow the compass.
    """
    if grid.geographic:
        return np.zeros(np.shape(longitude))
    if isinstance(grid, CurvilinearGrid):
        return grid.convergence(longitude, latitude)
    if not grid.crs.startswith(_CONES):
        factors = pyproj.Proj(grid.projection).get_factors(longitude, latitude)
        angle = np.deg2rad(np.asarray(factors.meridian_convergence))
        return (
            _on_earth(grid, angle, longitude, latitude) if grid.projection.is_geographic else angle
        )
    operation = grid.projection.coordinate_operation
    parameters = () if operation is None else operation.params
    central = next(float(p.value) for p in parameters if p.name.startswith("Longitude of"))
    factors = pyproj.Proj(grid.projection).get_factors(central + _DEGREES_OFF, 0.0)
    constant = factors.meridian_convergence / _DEGREES_OFF
    return np.deg2rad(constant * ((longitude - central + 180.0) % 360.0 - 180.0))


def _on_earth(
    grid: Grid, angle: np.ndarray, longitude: np.ndarray, latitude: np.ndarray
) -> np.ndarray:
    """An angle on the map of a rotated pole, where x has the degrees of its own longitude."""
    _, own_latitude = grid.from_longitude_latitude(longitude, latitude)
    return np.arctan2(np.sin(angle) * np.cos(np.deg2rad(own_latitude)), np.cos(angle))


def turned(
    u: np.ndarray, v: np.ndarray, cosine: np.ndarray, sine: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Eastward and northward components -> those along the x and y axes of a grid.

    `cosine` and `sine` are of the grid's convergence; of its negative, they rotate back. Between
    two grids the angle is the convergence of the target minus that of the source.
    """
    return u * cosine - v * sine, u * sine + v * cosine
