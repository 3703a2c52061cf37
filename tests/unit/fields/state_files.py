"""Day files of states, as the rule makes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR

GRID = HRRR.crop(slice(500, 505), slice(900, 904))
# Those of two days.
TIMES = [datetime(2026, 6, 1) + timedelta(hours=hour) for hour in range(48)]


def state_file(
    path: Path, values: Mapping[str, np.ndarray], times: Sequence[datetime], **attributes: str
) -> Path:
    """A file of some times, from (time, y, x) by variable."""
    xr.Dataset(
        {name: (("time", "y", "x"), own) for name, own in values.items()},
        coords={"time": np.array(times, dtype="datetime64[ns]"), **GRID.coordinates()},
        attrs=attributes,
    ).to_netcdf(path)
    return path


def two_days(folder: Path, values: Mapping[str, np.ndarray]) -> list[Path]:
    """A file for each day of `TIMES`."""
    paths = []
    for day in range(2):
        part = slice(24 * day, 24 * day + 24)
        own = {name: array[part] for name, array in values.items()}
        paths.append(state_file(folder / f"{day}.nc", own, TIMES[part]))
    return paths
