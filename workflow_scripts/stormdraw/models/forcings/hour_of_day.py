"""The hour of the day in UTC, as a forcing."""

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.clock import sine_and_cosine_of_hour
from stormdraw.models.forcings.forcing import Forcing, ForecastHour


class HourOfDay(Forcing):
    """Sine and cosine of the hour, the same at every point."""

    channels = ("hour_sine", "hour_cosine")

    def __init__(self, grid: Grid) -> None:
        self._everywhere = np.ones(grid.shape, dtype=np.float32)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channels at the valid time, float32 (2, y, x)."""
        both = sine_and_cosine_of_hour(hour.valid)
        return both[:, None, None] * self._everywhere[window]
