"""The height of the sun over the grid."""

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.sun import sine_of_elevation


class SolarElevation(Forcing):
    """The sine of the sun's elevation: proportional to its power on level ground, and bounded."""

    channels = ("solar_elevation",)

    def __init__(self, grid: Grid) -> None:
        self._longitude, self._latitude = grid.longitude_latitude()

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channel at the valid time, float32 (1, y, x)."""
        return sine_of_elevation(hour.valid, self._latitude[window], self._longitude[window])[None]
