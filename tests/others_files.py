"""Small files as others write them: CF NetCDF on a map that no base model here has."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import xarray as xr

CRS = "+proj=laea +lat_0=54.9 +lon_0=-2.5 +x_0=0 +y_0=0 +a=6378137 +b=6356752.314 +units=m"
ROWS, COLUMNS = 9, 12
STANDARD = {"T2M": ("air_temperature", "K"), "WIND10": ("wind_speed", "m s-1")}


def state(name: str, valid: datetime) -> np.ndarray:
    """A field (y, x) that grows to the north and the east, and with the hour of the day."""
    rows, columns = np.indices((ROWS, COLUMNS))
    low = {"T2M": 280.0, "WIND10": 5.0}[name]
    return (low + 0.5 * rows + 0.1 * columns + 0.2 * valid.hour).astype(np.float32)


def members(name: str, valid: datetime, count: int, seed: int) -> np.ndarray:
    """Members (member, y, x) around it."""
    noise = np.random.default_rng([seed, valid.day, valid.hour]).standard_normal(
        (count, ROWS, COLUMNS)
    )
    return (state(name, valid) + 0.7 * noise).astype(np.float32)


def dataset(
    fields: dict[str, np.ndarray], dims: Sequence[str], coordinates: dict[str, xr.DataArray]
) -> xr.Dataset:
    """Fields (*dims, y, x) with these coordinates, as CF would have them."""
    y = ("y", 2000.0 * np.arange(ROWS), {"standard_name": "projection_y_coordinate", "units": "m"})
    x = (
        "x",
        2000.0 * np.arange(COLUMNS),
        {"standard_name": "projection_x_coordinate", "units": "m"},
    )
    return xr.Dataset(
        {
            name: (
                (*dims, "y", "x"),
                values,
                {
                    "standard_name": STANDARD[name][0],
                    "units": STANDARD[name][1],
                    "grid_mapping": "map",
                },
            )
            for name, values in fields.items()
        },
        coords={"y": y, "x": x, **coordinates},
    ).assign({"map": ((), 0, pyproj.CRS(CRS).to_cf())})


def write_truth(folder: Path, valid: datetime) -> None:
    """`truth_<valid>.nc`."""
    time = xr.DataArray(np.datetime64(valid, "ns"), attrs={"standard_name": "time"})
    fields = {name: state(name, valid) for name in STANDARD}
    folder.mkdir(parents=True, exist_ok=True)
    dataset(fields, (), {"time": time}).to_netcdf(folder / f"truth_{valid:%Y%m%d%H}.nc")


def write_ensemble(
    folder: Path,
    init: datetime,
    leads: Sequence[int],
    count: int,
    seed: int,
    without: Sequence[tuple[int, int]] = (),
    names: Sequence[str] = tuple(STANDARD),
) -> None:
    """`<init>.nc` with `count` members, but for some (member, lead) that are missing."""
    fields = {
        name: np.stack(
            [members(name, init + timedelta(hours=lead), count, seed) for lead in leads], axis=1
        )
        for name in names
    }
    for member, lead in without:
        for values in fields.values():
            values[member, list(leads).index(lead)] = np.nan
    coordinates = {
        "realization": xr.DataArray(
            np.arange(count), dims="realization", attrs={"standard_name": "realization"}
        ),
        "lead": xr.DataArray(
            np.array(leads), dims="lead", attrs={"standard_name": "forecast_period", "units": "h"}
        ),
        "init": xr.DataArray(
            np.datetime64(init, "ns"), attrs={"standard_name": "forecast_reference_time"}
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    found = dataset(fields, ("realization", "lead"), coordinates)
    found.to_netcdf(folder / f"{init:%Y%m%d%H}.nc")


def configuration(folder: Path | str) -> dict:
    """Two systems of others and a truth of one's own, in a folder: nothing learns, no archive."""
    return {
        "title": "others",
        "variables": ["T2M", "WIND10"],
        "periods": {"test": {"start": "2024-05-01T00", "end": "2024-05-02T02"}},
        "cases": {"every_hours": 24},
        "leads": [1, 2],
        "archive": {
            "truth": {
                "external": {
                    "title": "analysis of theirs",
                    "path": f"{folder}/truth/truth_{{valid:%Y%m%d%H}}.nc",
                }
            }
        },
        "ensembles": {
            "systems": [
                {
                    "name": name,
                    "method": "external",
                    "members": count,
                    "path": f"{folder}/{{name}}/{{init:%Y%m%d%H}}.nc",
                    **more,
                }
                for name, count, more in (
                    ("theirs", 4, {}),
                    ("older", 3, {"lead_offset": 6, "latency_hours": 2}),
                )
            ]
        },
        "scores": {"reference": "theirs", "thresholds": {"WIND10": [8]}},
    }
