"""A few synthetic hours of fields, and the smallest model that can learn from them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.grids import Grid
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings
from stormdraw.times import format_init, hours

VARIABLES = ("T2M", "D2M", "CAPE")
START = datetime(2026, 6, 1)
HOURS = 8


def small_grid() -> Grid:
    """13 x 10 points of the HRRR grid: odd and even."""
    return HRRR.crop(slice(500, 513), slice(900, 910))


def write_fields(
    path: Path, times: list[datetime], broken: datetime | None = None, named: bool = False
) -> None:
    """Smooth random fields that persist from hour to hour; NaN in D2M at the hour `broken`.

    `named` if the file says so of that hour, as it does where a value was masked.
    """
    random = np.random.default_rng(7)
    grid = small_grid()
    time = xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in VARIABLES}
    drift = 0.0
    notes = {"incomplete_times": format_init(broken)} if broken and named else {}
    with written_in_parts(path, grid, {"time": time}, names, notes) as file:
        pattern = random.normal(size=grid.shape)
        for index, moment in enumerate(times):
            drift += float(random.normal())
            noise = random.normal(size=(3, *grid.shape))
            file["T2M"][index] = 290.0 + drift + pattern + 0.3 * noise[0]
            file["D2M"][index] = 280.0 + 0.5 * drift + 0.5 * pattern + 0.3 * noise[1]
            file["CAPE"][index] = np.maximum(100.0 * (pattern + drift + noise[2]), 0.0)
            if moment == broken:
                file["D2M"][index, 3, 4] = np.nan


def write_static(path: Path) -> None:
    """Terrain that rises to the west."""
    grid = small_grid()
    height = np.broadcast_to(np.linspace(1500.0, 300.0, grid.shape[1]), grid.shape)
    xr.Dataset(
        {"OROG": (("y", "x"), height.astype(np.float32))}, coords=grid.coordinates()
    ).to_netcdf(path, engine="netcdf4")


def make_settings(**changes: Any) -> Settings:
    """A run on the synthetic day."""
    return Settings.model_validate(
        {
            "title": "synthetic",
            "seed": 3,
            "variables": list(VARIABLES),
            "periods": {
                "training": {"start": START, "end": START + hours(HOURS - 1)},
                "test": {"start": START + hours(HOURS), "end": START + hours(HOURS + 2)},
            },
            "leads": [1],
            "models": ["small"],
            "ensembles": {
                "systems": [{"method": "baseline", "name": "persistence", "kind": "persistence"}]
            },
            **changes,
        }
    )


def make_model_settings(training: dict[str, Any] | None = None, **changes: Any) -> ModelSettings:
    """The smallest network of the family, with every forcing."""
    return ModelSettings.model_validate(
        {
            "family": "conditional_unet",
            "network": {"base_channels": 8},
            "prediction": "v",
            "target": "residual",
            "forcings": ["hour_of_day", "solar_elevation", "terrain"],
            "training": {
                "epochs": 2,
                "batch_size": 2,
                "accumulation": 2,
                "checkpoint_every_epochs": 1,
                **(training or {}),
            },
            **changes,
        }
    )
