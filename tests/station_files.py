"""Reports of stations, and forecasts of a case at stations, for tests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.stations.table import write_stations
from stormdraw.grids import Grid

# The columns of own files in tests: `archive.stations.source.columns`.
OWN_COLUMNS = {
    "station": {"name": "stid"},
    "valid": {"name": "time"},
    "longitude": {"name": "lon", "units": "degree"},
    "latitude": {"name": "lat", "units": "degree"},
    "elevation": {"name": "elev", "units": "m"},
    "T2M": {"name": "temp", "units": "degC"},
    "wind_direction": {"name": "dd", "units": "degree"},
    "wind_speed": {"name": "ff", "units": "km/h"},
}


def stations_at(
    grid: Grid, rows: Sequence[float], columns: Sequence[float], **more
) -> pd.DataFrame:
    """Stations called S00, S01, ... at fractional rows and columns of a grid."""
    dy, dx = grid.spacing
    x, y = grid.x[0] + dx * np.asarray(columns), grid.y[0] + dy * np.asarray(rows)
    corner = Grid(grid.crs, tuple(x), tuple(y))
    longitude, latitude = (field.diagonal() for field in corner.longitude_latitude())
    table = pd.DataFrame(
        {
            "station": [f"S{number:02d}" for number in range(len(rows))],
            "latitude": latitude,
            "longitude": longitude,
            "elevation": 0.0,
        }
    )
    return table.assign(**more)


def write_reports(
    path: Path, stations: pd.DataFrame, values: Mapping[datetime, Mapping[str, np.ndarray]]
) -> Path:
    """The reports (station,) of each variable by time, in the form of the archive."""
    tables = [
        stations.assign(network="TEST", valid=valid, reported=valid, **reported)
        for valid, reported in values.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    for name in ("valid", "reported"):
        table[name] = table[name].astype("datetime64[ns]")
    names = list(next(iter(values.values())))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stations(path, table, names, "reports", "a test", {})
    return path


def write_static(path: Path, grid: Grid, **fields: np.ndarray) -> Path:
    xr.Dataset(
        {name: (("y", "x"), field.astype(np.float32)) for name, field in fields.items()},
        coords=grid.coordinates(),
    ).to_netcdf(path, engine="netcdf4")
    return path
