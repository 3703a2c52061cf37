"""The grid point that is nearest to a place."""

from collections.abc import Mapping

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.forecasts.settings import Place
from stormdraw.grids import Grid


def nearest_points(grid: Grid, places: Mapping[str, Place]) -> dict[str, tuple[int, int]]:
    """The row and column of each place.

    Raises StormdrawError for a place outside the cells of the grid.
    """
    return {name: _nearest(grid, name, place) for name, place in places.items()}


def _nearest(grid: Grid, name: str, place: Place) -> tuple[int, int]:
    x, y = grid.from_longitude_latitude(np.array([place.longitude]), np.array([place.latitude]))
    found = []
    for own, axis, spacing in zip((y, x), (grid.y, grid.x), grid.spacing, strict=True):
        distance = np.abs(np.asarray(axis) - own[0])
        index = int(np.argmin(distance))
        if not distance[index] <= abs(spacing) / 2:
            raise StormdrawError(
                f"forecast.places.{name}: {place.latitude:g}, {place.longitude:g} is outside the "
                "grid of the fields; leave it out, or take a larger part of the grid"
            )
        found.append(index)
    return found[0], found[1]
