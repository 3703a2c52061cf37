"""The map factor: how much a map enlarges the Earth at each point."""

import math

import numpy as np
import pyproj

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid


def map_factor(grid: Grid) -> np.ndarray:
    """Map distance over true distance at each point of a conformal grid, (y, x), from PROJ.

    Raises StormdrawError as `require_conformal` does.
    """
    factors = pyproj.Proj(grid.crs).get_factors(*grid.longitude_latitude())
    _require_equal(grid, factors)
    return np.asarray(factors.meridional_scale)


def require_conformal(grid: Grid) -> None:
    """Raise StormdrawError for a map whose scale depends on the direction."""
    corners = grid.crop(slice(None, None, grid.shape[0] - 1), slice(None, None, grid.shape[1] - 1))
    _require_equal(grid, pyproj.Proj(grid.crs).get_factors(*corners.longitude_latitude()))


def _require_equal(grid: Grid, factors: pyproj.proj.Factors) -> None:
    if not np.allclose(factors.meridional_scale, factors.parallel_scale, rtol=1e-6):
        raise StormdrawError(
            "map factors need a conformal grid (Lambert conformal conic, Mercator, polar "
            f"stereographic), not {grid.crs}"
        )


def require_square(grid: Grid) -> None:
    """Raise StormdrawError for a grid whose cells are not square on its map."""
    rows, columns = grid.spacing
    if not math.isclose(rows, columns, rel_tol=1e-3):
        raise StormdrawError(f"cells must be square, but these are {columns:g} x {rows:g} m")
