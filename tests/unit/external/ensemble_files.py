"""Small ensembles, written by xarray as others might lay them out."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyproj
import xarray as xr

from stormdraw.external.reading import ExternalForecast, open_forecast
from stormdraw.external.settings import ExternalFiles

INIT = datetime(2026, 6, 8, 6)
LEADS = (1, 3, 6)
MEMBERS = (0, 2, 7)
ROWS, COLUMNS = 4, 5

# A Lambert conformal map as CF has it, on the sphere of NCEP's models.
LAMBERT = {
    "grid_mapping_name": "lambert_conformal_conic",
    "standard_parallel": 38.5,
    "latitude_of_projection_origin": 38.5,
    "longitude_of_central_meridian": -97.5,
    "earth_radius": 6371229.0,
}


def value(member: int, lead: int) -> np.ndarray:
    """T2M in K (y, x), rows from south to north: no two points of an ensemble are equal."""
    y, x = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    return (280 + member + lead / 10 + y / 100 + x / 1000).astype(np.float32)


def ensemble() -> xr.Dataset:
    """One case with CF's attributes: (realization, time, y, x), y and x in metres."""
    values = np.array([[value(member, lead) for lead in LEADS] for member in MEMBERS])
    valid = np.datetime64(INIT, "s") + np.array(LEADS, "timedelta64[h]")
    return xr.Dataset(
        {
            "temperature": (
                ("realization", "time", "y", "x"),
                values,
                {"units": "K", "grid_mapping": "crs"},
            ),
            "crs": ((), 0, LAMBERT),
        },
        coords={
            "realization": ("realization", list(MEMBERS), {"standard_name": "realization"}),
            "time": ("time", valid.astype("datetime64[ns]"), {"standard_name": "time"}),
            "lead": ("time", list(LEADS), {"standard_name": "forecast_period", "units": "hours"}),
            "start": (
                (),
                np.datetime64(INIT, "ns"),
                {"standard_name": "forecast_reference_time"},
            ),
            "y": (
                "y",
                3000.0 * np.arange(ROWS),
                {"standard_name": "projection_y_coordinate", "units": "m"},
            ),
            "x": (
                "x",
                3000.0 * np.arange(COLUMNS),
                {"standard_name": "projection_x_coordinate", "units": "m"},
            ),
        },
    )


def celsius(units: str) -> xr.Dataset:
    """The same ensemble in degrees Celsius, which its file says are in these units."""
    own = ensemble()
    own["temperature"] = own["temperature"] - 273.15
    own["temperature"].attrs = {"units": units, "grid_mapping": "crs"}
    return own


def on_degrees(dataset: xr.Dataset, latitude: np.ndarray, longitude: np.ndarray) -> xr.Dataset:
    """The same fields on a grid of latitudes and longitudes, 1-D or 2-D."""
    plain = dataset.drop_vars(["crs", "x", "y"])
    del plain["temperature"].attrs["grid_mapping"]
    dims = (("y", "x"), ("y", "x")) if latitude.ndim == 2 else (("y",), ("x",))
    return plain.assign_coords(
        latitude=(dims[0], latitude, {"units": "degrees_north"}),
        longitude=(dims[1], longitude, {"units": "degrees_east"}),
    )


def files(path: Path | str, **layout: object) -> ExternalFiles:
    """The settings of files whose variable is `temperature`."""
    return ExternalFiles(path=str(path), layout={"variables": {"T2M": "temperature"}, **layout})


def opened(
    settings: ExternalFiles, leads: Sequence[int] = LEADS, variables: Sequence[str] = ("T2M",)
) -> ExternalForecast:
    """The case of these files."""
    return open_forecast(settings, "theirs", INIT, variables, leads)


def lambert_degrees() -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes (y, x) of the ensemble's points, by pyproj from a PROJ string."""
    projection = pyproj.Proj("+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5 +R=6371229")
    x, y = np.meshgrid(3000.0 * np.arange(COLUMNS), 3000.0 * np.arange(ROWS))
    return projection(x, y, inverse=True)
