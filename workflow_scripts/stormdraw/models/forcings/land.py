"""Where there is land and where water."""

from pathlib import Path

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.static_fields import read_static
from stormdraw.variables import LAND


class Land(Forcing):
    """1 on land and 0 on water.

    Raises StormdrawError if the static file has no land mask, or has it on another grid.
    """

    channels = ("land",)

    def __init__(self, grid: Grid, path: str | Path | None) -> None:
        self.mask = read_static(path, grid, LAND, "land").astype(np.float32)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channel, float32 (1, y, x)."""
        return self.mask[window][None]
