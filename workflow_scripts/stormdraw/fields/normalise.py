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

from stormdraw.archive.manifest import OK, read_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import (
    WIND_COMPONENTS,
    DecodedMessage,
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

logger = logging.getLogger(__name__)

WIND_CONVENTION = "components along the x and y axes of this file's grid"


@dataclass(frozen=True)
class Hour:
    """One valid time: the state, float32 (variable, y, x), on the target grid."""

    state: np.ndarray
    findings: list[Finding]


@dataclass(frozen=True)
class Day:
    """The manifest of a day's analyses and what is wanted of it."""

    folder: Path
    names: Sequence[str]
    fields: Fields
    archive_grid: Grid

    @property
    def target(self) -> Target:
        return Target.of(self.fields)

    def read(self, hour: tuple[datetime, pd.DataFrame]) -> Hour:
        """Decode the messages of one valid time, `(time, manifest rows)`.

        Raises StormdrawError for a missing point, and if the grid is not the day's.
        """
        valid, rows = hour
        grid = self.target.grid(self.archive_grid)
        state = np.empty((len(self.names), *grid.shape), np.float32)
        findings: list[Finding] = []
        wind: dict[str, DecodedMessage] = {}
        for message in decode_messages(self.folder, rows, self.names):
            if message.grid != self.archive_grid:
                raise StormdrawError(
                    f"{self.folder}: the grid at {valid:%H} UTC differs from the day's first"
                )
            if message.name in WIND_COMPONENTS and not message.grid_relative_winds:
                wind[message.name] = message
                continue
            findings += self._place(state, message.name, message.values, valid, rows)
        if wind:
            u, v = (wind[name].values for name in WIND_COMPONENTS)
            turned = regridder(self.archive_grid, self.archive_grid).wind(u, v, False)
            for name, field in zip(WIND_COMPONENTS, turned, strict=True):
                findings += self._place(state, name, field, valid, rows)
        return Hour(state, findings)

    def _place(
        self, state: np.ndarray, name: str, field: np.ndarray, valid: datetime, rows: pd.DataFrame
    ) -> list[Finding]:
        """Put a field on the archive's grid where it belongs in the state."""
        part = self.target.cropped(field)
        _require_whole(part, name, rows, self.folder)
        part, findings = check(part, name, valid, self.fields.suspicious)
        state[self.names.index(name)] = self.target.averaged(part, name)
        return findings


def normalise_day(
    manifest_path: Path,
    names: Sequence[str],
    fields: Fields,
    output: Path,
    quality: Path,
    settings: dict[str, Any],
    threads: int = 1,
) -> None:
    """Decode a day's messages and write each variable as (time, y, x), time being the valid time.

    Values outside the table's physical bounds are kept or masked as `fields.suspicious` says,
    counted in the attribute `suspicious_points`, logged, and listed in the table `quality`. Hours
    that the manifest says are absent are left out. Raises StormdrawError for a missing point,
    where the grid changes within the day, and if no hour is there.
    """
    manifest = read_manifest(manifest_path)
    hours = _hours(manifest, manifest_path)
    folder = manifest_path.parent
    day = Day(folder, list(names), fields, _archive_grid(folder, hours[0][1]))
    times = xr.DataArray(
        pd.DatetimeIndex([time for time, _ in hours]).values,
        dims="time",
        attrs={"standard_name": "time", "long_name": "valid time", "axis": "T"},
    )
    description = attributes(
        "Hourly analyses", f"{folder.parent.name.upper()} GRIB2 of {folder.name}", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    findings: list[Finding] = []
    with written_in_parts(
        output,
        day.target.grid(day.archive_grid),
        {"time": times},
        {name: name for name in names},
        description,
        fields.store,
    ) as file:
        for index, hour in enumerate(in_order(day.read, hours, threads)):
            for name, field in zip(names, hour.state, strict=True):
                file[name][index] = field
            findings += hour.findings
            del hour  # before the next one is worked out
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


def _hours(manifest: pd.DataFrame, path: Path) -> list[tuple[datetime, pd.DataFrame]]:
    """(valid time, rows) of the hours whose messages are all there."""
    valid = manifest["init"] + pd.to_timedelta(manifest["lead"], unit="h")
    hours = []
    for time, rows in manifest.groupby(valid):
        absent = rows.loc[rows["status"] != OK, "variable"]
        if len(absent):
            logger.warning("%s UTC is left out: no %s", f"{time:%H}", ", ".join(absent))
        else:
            hours.append((time.to_pydatetime(), rows))
    if not hours:
        raise StormdrawError(f"{path}: no hour of this day is whole; leave the day out of periods")
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
