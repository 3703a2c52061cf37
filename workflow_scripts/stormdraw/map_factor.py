"""How much larger a map makes the Earth at each point."""

import math

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid

_LAMBERT = "lambert_conformal_conic"


def map_factor(grid: Grid) -> np.ndarray:
    """Map distance over true distance at each point of a Lambert conformal grid, (y, x).

    On the sphere, at latitude phi, with the standard parallels phi1 and phi2 (Snyder 1987,
    Map Projections: A Working Manual, eqs. 15-3 and 15-4):

        m = cos(phi1) / cos(phi) * (tan(pi/4 + phi1/2) / tan(pi/4 + phi/2)) ** n

    Raises StormdrawError as `require_lambert`.
    """
    require_lambert(grid)
    definition = grid.projection.to_cf()
    parallels = np.radians(np.atleast_1d(definition["standard_parallel"]))
    first, last = parallels[0], parallels[-1]
    _, latitude = grid.longitude_latitude()
    phi = np.radians(latitude)
    ratio = _isometric(first) / _isometric(phi)
    return np.cos(first) / np.cos(phi) * ratio ** _cone(first, last)


def require_lambert(grid: Grid) -> None:
    """Raise StormdrawError for a grid that is not Lambert conformal, or on an ellipsoid."""
    name = grid.projection.to_cf().get("grid_mapping_name")
    if name != _LAMBERT:
        raise StormdrawError(f"map factors need a {_LAMBERT} grid, not {name}: {grid.crs}")
    ellipsoid = grid.projection.ellipsoid
    if ellipsoid is None or ellipsoid.semi_major_metre != ellipsoid.semi_minor_metre:
        raise StormdrawError(f"map factors need a grid on a sphere (+R=...), not {grid.crs}")


def require_square(grid: Grid) -> None:
    """Raise StormdrawError for a grid whose cells are not square on its map."""
    rows, columns = grid.spacing
    if not math.isclose(rows, columns, rel_tol=1e-3):
        raise StormdrawError(f"cells must be square, and these are {columns:g} x {rows:g} m")


def _isometric(phi: np.ndarray | float) -> np.ndarray:
    return np.tan(np.pi / 4.0 + phi / 2.0)


def _cone(first: float, last: float) -> float:
    """The cone's constant n for two standard parallels in radians."""
    if first == last:
        return float(np.sin(first))
    return float(
        np.log(np.cos(first) / np.cos(last)) / np.log(_isometric(last) / _isometric(first))
    )
