"""Day files of a small world."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from few_points import GRID

from stormdraw.fields.netcdf import written_in_parts

STATE = ["T2M", "U10", "V10"]
START = datetime(2026, 6, 1)


def field_at(name: str, time: datetime) -> np.ndarray:
    """A field, (y, x), that tells its own variable and hour."""
    hour = (time - START) / timedelta(hours=1)
    return np.full(GRID.shape, 100.0 * STATE.index(name) + hour, dtype=np.float32)


@pytest.fixture
def day_files(tmp_path: Path) -> list[Path]:
    """Three days from 2026-06-01, hourly, each value telling its hour."""
    paths = []
    for day in range(3):
        times = [START + timedelta(days=day, hours=hour) for hour in range(24)]
        paths.append(tmp_path / "hrrr" / f"2026060{day + 1}.nc")
        leading = {"time": xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")}
        with written_in_parts(
            paths[-1], GRID, leading, {name: name for name in STATE}, {"title": "test"}
        ) as file:
            for name in STATE:
                for index, time in enumerate(times):
                    file[name][index] = field_at(name, time)
    return paths
