"""GRIB2 files written by hand, independent of the simulated archive, and manifests of them."""

import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.grids import Grid
from stormdraw.variables import variable

import eccodes  # isort: skip  (after stormdraw)


def lambert_message(
    grid: Grid,
    longitude_of_orientation: float,
    latitude_of_tangency: float,
    values: np.ndarray,
    name: str,
    init: datetime,
    lead: int,
    grid_relative: bool = True,
    southwards: bool = False,
) -> bytes:
    """One GRIB2 message of `values` (y, x) on a tangent Lambert grid; NaN becomes missing.

    Rows are stored from south to north, or `southwards`.
    """
    row = variable(name)
    longitude, latitude = grid.longitude_latitude()
    rows, columns = grid.shape
    if southwards:
        latitude, longitude, values = latitude[::-1], longitude[::-1], values[::-1]
    handle = eccodes.codes_grib_new_from_samples("GRIB2")
    keys = {
        "centre": 7,
        "localTablesVersion": 1,
        "discipline": row.grib.discipline,
        "gridDefinitionTemplateNumber": 30,
        "shapeOfTheEarth": 6,
        "Nx": columns,
        "Ny": rows,
        "latitudeOfFirstGridPoint": round(float(latitude[0, 0]) * 1e6),
        "longitudeOfFirstGridPoint": round(float(longitude[0, 0] % 360) * 1e6),
        "LaD": round(latitude_of_tangency * 1e6),
        "Latin1": round(latitude_of_tangency * 1e6),
        "Latin2": round(latitude_of_tangency * 1e6),
        "LoV": round(longitude_of_orientation % 360 * 1e6),
        "Dx": round(grid.spacing[1] * 1e3),
        "Dy": round(grid.spacing[0] * 1e3),
        "resolutionAndComponentFlags": 8 if grid_relative else 0,
        "scanningMode": 0 if southwards else 64,
        "dataDate": int(init.strftime("%Y%m%d")),
        "dataTime": init.hour * 100,
        "parameterCategory": row.grib.category,
        "parameterNumber": row.grib.number,
        "indicatorOfUnitOfTimeRange": 1,
        "forecastTime": lead,
        "typeOfFirstFixedSurface": row.grib.first_surface[0],
        "scaleFactorOfFirstFixedSurface": 0,
        "scaledValueOfFirstFixedSurface": row.grib.first_surface[1],
        "bitsPerValue": 24,
    }
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    if np.isnan(values).any():
        eccodes.codes_set(handle, "bitmapPresent", 1)
        eccodes.codes_set(handle, "missingValue", 1e20)
    eccodes.codes_set_values(handle, np.where(np.isnan(values), 1e20, values).ravel())
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return message


def write_manifest(folder: Path, messages: list[dict]) -> Path:
    """Store messages in one file beside a manifest of them, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, offset = [], 0
    with open(folder / "messages.grib2", "wb") as stream:
        for entry in messages:
            content = lambert_message(**entry["message"])
            stream.write(content)
            rows.append(
                {
                    "file": "messages.grib2",
                    "variable": entry["message"]["name"],
                    "member": entry.get("member", ""),
                    "init": entry["message"]["init"].strftime("%Y%m%d%H"),
                    "lead": entry["message"]["lead"],
                    "statistic": entry.get("statistic", ""),
                    "offset": offset,
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "origin": "test",
                    "status": entry.get("status", "ok"),
                    "reason": "",
                    "seconds_after": 0,
                }
            )
            offset += len(content)
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"
