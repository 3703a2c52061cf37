"""Where a point lies on the Earth."""

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.unit_sphere import unit_sphere


class Position(Forcing):
    """Coordinates on a sphere of radius 1: the same for a place on every grid and in every crop."""

    channels = ("sphere_x", "sphere_y", "sphere_z")

    def __init__(self, grid: Grid) -> None:
        longitude, latitude = grid.longitude_latitude()
        self._coordinates = unit_sphere(latitude, longitude)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channels, float32 (3, y, x)."""
        return self._coordinates[:, *window]
