"""The height of the ground."""

from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
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
        height = _read_terrain(path, grid)
        self.mean, self.std = statistics or (float(height.mean()), float(height.std()) or 1.0)
        self.standardised = ((height - self.mean) / self.std).astype(np.float32)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channel, float32 (1, y, x)."""
        return self.standardised[window][None]


def _read_terrain(path: str | Path | None, grid: Grid) -> np.ndarray:
    """Terrain height in metres, float64 (y, x)."""
    if path is None:
        raise StormdrawError(
            f"the forcing `terrain` needs {TERRAIN}: add it to fields.static, "
            "or leave the forcing out of the model's configuration"
        )
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        if TERRAIN not in dataset:
            raise StormdrawError(
                f"{path}: has no {TERRAIN}, which the forcing `terrain` needs; "
                "add it to fields.static"
            )
        if not grid.matches(Grid.of(dataset)):
            raise StormdrawError(f"{path}: lies on another grid than the states; delete it")
        height = dataset[TERRAIN].values.astype(np.float64)
    if not np.isfinite(height).all():
        raise StormdrawError(f"{path}: {TERRAIN} has NaN at {np.isnan(height).sum()} points")
    return height
