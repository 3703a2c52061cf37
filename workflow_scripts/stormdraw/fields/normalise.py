"""One day of analyses as CF NetCDF: `results/fields/hrrr/{date}.nc`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import ABSENT, absent_times, read_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import (
    WIND_COMPONENTS,
    apart,
    decode_messages,
    read_message,
)
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.quality import Finding, check, note_suspicious, write_findings
from stormdraw.fields.regridding import regridder
from stormdraw.fields.settings import Fields
from stormdraw.fields.target import Target
from stormdraw.fields.threads import in_order
from stormdraw.grids import Grid
from stormdraw.messages import opened, read_grid
from stormdraw.provenance import attributes
from stormdraw.times import format_init

logger = logging.getLogger(__name__)

WIND_CONVENTION = "components along the x and y axes of this file's grid"


@dataclass(frozen=True)
class Task:
    """Variables to decode at one valid time, from these rows of the manifest."""

    index: int
    valid: datetime
    rows: pd.DataFrame
    names: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """The task's variables, each float32 (y, x) on the target grid, and what was suspicious."""

    task: Task
    fields: list[np.ndarray]
    findings: list[Finding]


@dataclass(frozen=True)
class Day:
    """Where a day's messages are, and what is wanted of them."""

    folder: Path
    fields: Fields
    archive_grid: Grid

    @property
    def target(self) -> Target:
        return Target.of(self.fields)

    def decode(self, task: Task) -> Done:
        """Decode the messages of a task.

        Raises StormdrawError for a missing point, and if the grid is not the day's.
        """
        messages = list(decode_messages(self.folder, task.rows, task.names))
        for message in messages:
            if message.grid != self.archive_grid:
                raise StormdrawError(
                    f"{self.folder}: the grid at {task.valid:%H} UTC differs from the day's first"
                )
        values = [message.values for message in messages]
        if set(task.names) == set(WIND_COMPONENTS) and not messages[0].grid_relative_winds:
            u, v = (values[task.names.index(name)] for name in WIND_COMPONENTS)
            turned = regridder(self.archive_grid, self.archive_grid).wind(u, v, False)
            values = [turned[WIND_COMPONENTS.index(name)] for name in task.names]
        done = Done(task, [], [])
        for name, field in zip(task.names, values, strict=True):
            part = self.target.cropped(field)
            _require_whole(part, name, task.rows, self.folder)
            part, findings = check(part, name, task.valid, self.fields.suspicious)
            done.fields.append(self.target.averaged(part, name))
            done.findings.extend(findings)
        return done


def normalise_day(
    manifest_path: Path,
    names: Sequence[str],
    fields: Fields,
    output: Path,
    quality: Path,
    settings: dict[str, Any],
    threads: int = 1,
    grid_manifest: Path | None = None,
) -> None:
    """Decode a day's messages and write each variable as (time, y, x), time being the valid time.

    Values outside the table's physical bounds are kept or masked as `fields.suspicious` says,
    counted in the attribute `suspicious_points`, logged, and listed in the table `quality`. Hours
    that the manifest says are absent are left out and named in the attribute `absent_times`; a day
    that lacks all of them has the grid of `grid_manifest`'s messages. Raises StormdrawError for a
    missing point, where the grid changes within the day, and if nothing tells the grid.
    """
    manifest = read_manifest(manifest_path)
    hours = _hours(manifest)
    folder = manifest_path.parent
    grid = _archive_grid(folder, hours[0][1]) if hours else _grid_of(grid_manifest, folder)
    day = Day(folder, fields, grid)
    tasks = [
        Task(index, time, rows, group)
        for index, (time, rows) in enumerate(hours)
        for group in apart(names)
    ]
    times = xr.DataArray(
        pd.DatetimeIndex([time for time, _ in hours]).values,
        dims="time",
        attrs={"standard_name": "time", "long_name": "valid time", "axis": "T"},
    )
    description = attributes(
        "Hourly analyses", f"{folder.parent.name.upper()} GRIB2 of {folder.name}", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    description["absent_times"] = " ".join(map(format_init, absent_times(manifest)))
    findings: list[Finding] = []
    with written_in_parts(
        output,
        day.target.grid(day.archive_grid),
        {"time": times},
        {name: name for name in names},
        description,
        fields.store,
    ) as file:
        for done in in_order(day.decode, tasks, threads):
            for name, field in zip(done.task.names, done.fields, strict=True):
                file[name][done.task.index] = field
            findings += done.findings
        note_suspicious(file, findings, fields.suspicious)
    write_findings(findings, quality)


def normalise_static(
    manifest_path: Path,
    names: Sequence[str],
    fields: Fields,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Decode the fields that are the same at every time and write each as (y, x)."""
    manifest = read_manifest(manifest_path)
    folder = manifest_path.parent
    target = Target.of(fields)
    grid = target.grid(_archive_grid(folder, manifest))
    description = attributes("Fields that do not change", f"HRRR GRIB2 of {folder.name}", settings)
    with written_in_parts(
        output, grid, {}, {name: name for name in names}, description, fields.store
    ) as file:
        for message in decode_messages(folder, manifest, names):
            part = target.cropped(message.values)
            _require_whole(part, message.name, manifest, folder)
            file[message.name][:] = target.averaged(part, message.name)


def _grid_of(manifest_path: Path | None, folder: Path) -> Grid:
    """The grid of other messages of the same model, for a day of which nothing is there."""
    if manifest_path is None:
        raise StormdrawError(
            f"{folder}: no hour of this day is whole, and nothing tells their grid; leave the day "
            "out of periods, or set archive.missing to skip"
        )
    return _archive_grid(manifest_path.parent, read_manifest(manifest_path))


def _hours(manifest: pd.DataFrame) -> list[tuple[datetime, pd.DataFrame]]:
    """(valid time, rows) of the hours whose messages are all there."""
    valid = manifest["init"] + pd.to_timedelta(manifest["lead"], unit="h")
    hours = []
    for time, rows in manifest.groupby(valid):
        absent = rows.loc[rows["status"] == ABSENT, "variable"]
        if len(absent):
            logger.warning("%s UTC is left out: no %s", f"{time:%H}", ", ".join(absent))
        else:
            hours.append((time.to_pydatetime(), rows))
    return hours


def _archive_grid(folder: Path, rows: pd.DataFrame) -> Grid:
    """The grid of the first message."""
    with opened(read_message(folder, rows.iloc[0])) as handle:
        return read_grid(handle)


def _require_whole(field: np.ndarray, name: str, rows: pd.DataFrame, folder: Path) -> None:
    if not np.isnan(field.min()):
        return
    missing = int(np.isnan(field).sum())
    file = rows.loc[rows["variable"] == name, "file"].iloc[0]
    raise StormdrawError(
        f"{folder / file}: {name} is missing at {missing} of {field.size} points; an analysis "
        "must be whole: use another source, or leave the variable or the hour out"
    )
