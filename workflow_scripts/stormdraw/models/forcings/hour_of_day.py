"""The hour of the day in UTC, as an angle."""

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour


class HourOfDay(Forcing):
    """Sine and cosine of the hour, the same at every point."""

    channels = ("hour_sine", "hour_cosine")

    def __init__(self, grid: Grid) -> None:
        self._everywhere = np.ones(grid.shape, dtype=np.float32)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channels at the valid time, float32 (2, y, x)."""
        angle = 2.0 * np.pi * (hour.valid.hour + hour.valid.minute / 60.0) / 24.0
        values = np.array([np.sin(angle), np.cos(angle)], dtype=np.float32)
        return values[:, None, None] * self._everywhere[window]
