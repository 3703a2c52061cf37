"""One day of analyses as CF NetCDF: `results/fields/hrrr/{date}.nc`."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import absent_times, present, read_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import decode_state
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.settings import Crop
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.times import format_init
from stormdraw.variables import variable

logger = logging.getLogger(__name__)

WIND_CONVENTION = "components along the x and y axes of this file's grid"


def normalise_day(
    manifest_path: Path,
    names: Sequence[str],
    crop: Crop | None,
    output: Path,
    settings: dict[str, Any],
    grid_manifest: Path | None = None,
) -> None:
    """Decode a day's messages and write each variable as (time, y, x), time being the valid time.

    Hours that the archive lacks are left out and named in the attribute `absent_times`. A day that
    lacks all of them has the grid of `grid_manifest`'s messages. Values outside the table's
    physical bounds are kept, counted in the attribute `suspicious_points` and logged. Raises
    StormdrawError for a missing point, and where the grid changes within the day.
    """
    listed = read_manifest(manifest_path)
    folder = manifest_path.parent
    manifest = present(listed)
    hours = list(manifest.groupby(manifest["init"] + pd.to_timedelta(manifest["lead"], unit="h")))
    if hours:
        state, source = decode_state(folder, hours[0][1], names, None)
    else:
        source = _grid_of(grid_manifest, folder)
    grid = cropped(source, crop)
    suspicious = dict.fromkeys(names, 0)
    times = xr.DataArray(
        pd.DatetimeIndex([time for time, _ in hours]).values,
        dims="time",
        attrs={"standard_name": "time", "long_name": "valid time"},
    )
    description = attributes(
        "Hourly analyses", f"{folder.parent.name.upper()} GRIB2 of {folder.name}", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    description["absent_times"] = " ".join(map(format_init, absent_times(listed)))
    with written_in_parts(
        output, grid, {"time": times}, {name: name for name in names}, description
    ) as file:
        for index, (time, rows) in enumerate(hours):
            if index > 0:
                state, here = decode_state(folder, rows, names, None)
                if here != source:
                    raise StormdrawError(
                        f"{folder}: the grid at {time:%H} UTC differs from the day's first"
                    )
            for name, field in zip(names, crop_field(state, crop), strict=True):
                _require_whole(field, name, rows, folder)
                suspicious[name] += count_suspicious(field, name)
                file[name][index] = field
        for name, count in suspicious.items():
            note_suspicious(file[name], name, count)


def normalise_static(
    manifest_path: Path,
    names: Sequence[str],
    crop: Crop | None,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Decode the fields that are the same at every time and write each as (y, x)."""
    manifest = read_manifest(manifest_path)
    folder = manifest_path.parent
    state, source = decode_state(folder, manifest, names, None)
    grid = cropped(source, crop)
    description = attributes("Fields that do not change", f"HRRR GRIB2 of {folder.name}", settings)
    with written_in_parts(output, grid, {}, {name: name for name in names}, description) as file:
        for name, field in zip(names, crop_field(state, crop), strict=True):
            _require_whole(field, name, manifest, folder)
            file[name][:] = field


def _grid_of(manifest_path: Path | None, folder: Path) -> Grid:
    """The grid of other messages of the same model, for a day of which nothing is there."""
    if manifest_path is None:
        raise StormdrawError(
            f"{folder}: the archive has none of this day's hours, and nothing tells their grid; "
            "set fields.static, or choose periods without this day"
        )
    manifest = read_manifest(manifest_path)
    name = manifest["variable"].iloc[0]
    _, grid = decode_state(manifest_path.parent, manifest, [name], None)
    return grid


def cropped(grid: Grid, crop: Crop | None) -> Grid:
    """The target grid: the archive's own, or the part of it that `crop` names."""
    if crop is None:
        return grid
    rows, columns = grid.shape
    if crop.rows[1] > rows or crop.columns[1] > columns:
        raise StormdrawError(
            f"fields.crop asks for rows {crop.rows} and columns {crop.columns}, "
            f"but the archive's grid has {rows} x {columns} points"
        )
    return grid.crop(slice(*crop.rows), slice(*crop.columns))


def crop_field(state: np.ndarray, crop: Crop | None) -> np.ndarray:
    """The last two axes (y, x), cropped."""
    return state if crop is None else state[..., slice(*crop.rows), slice(*crop.columns)]


def count_suspicious(field: np.ndarray, name: str) -> int:
    """How many points lie outside the physical bounds, beyond what packing may round them to."""
    row = variable(name)
    return int(((field < row.lower - row.precision) | (field > row.upper + row.precision)).sum())


def note_suspicious(written: netCDF4.Variable, name: str, count: int) -> None:
    """Record the count with the variable, and say it if there are any."""
    written.setncattr("suspicious_points", np.int32(count))
    if count:
        row = variable(name)
        logger.warning(
            "%s: %d points outside %g to %g %s, kept as they are",
            *(name, count, row.lower, row.upper, row.units),
        )


def _require_whole(field: np.ndarray, name: str, rows: pd.DataFrame, folder: Path) -> None:
    missing = int(np.isnan(field).sum())
    if missing:
        file = rows.loc[rows["variable"] == name, "file"].iloc[0]
        raise StormdrawError(
            f"{folder / file}: {name} is missing at {missing} of {field.size} points; an analysis "
            "must be whole: use another source, or leave the variable or the hour out"
        )
