"""The height of the ground."""

from pathlib import Path

import numpy as np

from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.static_fields import read_static
from stormdraw.variables import TERRAIN


class Terrain(Forcing):
    """Standardised height of the terrain.

    `statistics` are the mean and standard deviation in metres that a model was trained with;
    without them they are those of this grid. Raises StormdrawError if the static file has no
    terrain, or has it on another grid.
    """

    channels = ("terrain",)

    def __init__(
        self, grid: Grid, path: str | Path | None, statistics: tuple[float, float] | None = None
    ) -> None:
        height = read_static(path, grid, TERRAIN, "terrain")
        self.mean, self.std = statistics or (float(height.mean()), float(height.std()) or 1.0)
        self.standardised = ((height - self.mean) / self.std).astype(np.float32)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channel, float32 (1, y, x)."""
        return self.standardised[window][None]
