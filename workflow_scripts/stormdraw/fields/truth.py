"""One day of the truth where it is not the analysis: `results/fields/truth/{date}.nc`."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import absent_times, present, read_manifest
from stormdraw.fields.decoding import decode_state
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.normalise import WIND_CONVENTION
from stormdraw.fields.states import absent_times as absent_analyses
from stormdraw.fields.states import read_grid_of, read_states
from stormdraw.provenance import attributes
from stormdraw.times import format_init

logger = logging.getLogger(__name__)


def write_truth(
    manifest_path: Path,
    analysis_paths: Sequence[Path],
    names: Sequence[str],
    truth: str,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write each variable (time, y, x) on the analyses' grid: the truth's where it has it.

    `truth` is what the truth is called. Variables that it lacks are those of the analyses, and each
    variable's attribute `source` tells which it is. Points beyond the truth's grid are missing. An
    hour that the archive lacks of either is left out and named in the attribute `absent_times`.
    """
    listed = read_manifest(manifest_path)
    own = [name for name in names if name in set(listed["variable"])]
    others = [name for name in names if name not in own]
    absent = set(absent_times(listed)) | (absent_analyses(analysis_paths) if others else set())
    rows = present(listed)
    valid = rows["init"] + pd.to_timedelta(rows["lead"], unit="h")
    hours = sorted({time.to_pydatetime() for time in valid} - absent)
    grid = read_grid_of(analysis_paths[0])
    times = xr.DataArray(
        pd.DatetimeIndex(hours).values.astype("datetime64[ns]"),
        dims="time",
        attrs={"standard_name": "time", "long_name": "valid time"},
    )
    description = attributes(
        "Hourly truth", f"{truth} GRIB2 of {manifest_path.parent.name}", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    description["absent_times"] = " ".join(map(format_init, sorted(absent)))
    with written_in_parts(
        output, grid, {"time": times}, {name: name for name in names}, description
    ) as file:
        for index, time in enumerate(hours):
            state, _ = decode_state(manifest_path.parent, rows[valid == time], own, grid)
            for name, field in zip(own, state, strict=True):
                file[name][index] = field
            if others:
                _, analysis = next(read_states(analysis_paths, others, [time]))
                for name, field in zip(others, analysis, strict=True):
                    file[name][index] = field
        for name in names:
            file[name].setncattr("source", truth if name in own else "HRRR analysis")
        outside = int(np.isnan(state).any(axis=0).sum()) if hours else 0
        if outside:
            logger.warning("%s has no value at %d of %d points", truth, outside, state[0].size)
