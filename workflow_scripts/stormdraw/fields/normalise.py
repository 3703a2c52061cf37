"""Analyses as CF NetCDF: `results/fields/{base model}/{date}.nc` and `results/fields/static.nc`."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import ListedFile, Messages
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Content, Destination, Piece, read_together, write_fields
from stormdraw.grids import Grid
from stormdraw.times import format_init

logger = logging.getLogger(__name__)


def normalise_day(
    manifest_path: Path,
    names: Sequence[str],
    destination: Destination,
    grid_manifest: Path | None = None,
    no_echo: float | None = None,
) -> None:
    """Write a day's analyses, each variable (time, y, x) at its valid times.

    Hours for which the archive has nothing are left out and listed in the attribute `absent_times`;
    hours that lack a variable or a point are listed in `incomplete_times`. A day without any hour
    has the grid of `grid_manifest`'s messages. `no_echo` is what the base model writes where there
    is none, in dBZ. Raises StormdrawError if the grid changes within the
    day, and if the grid is unknown.
    """
    messages = Messages(manifest_path)
    wanted = messages.by_valid_time()
    present = [listed for listed in wanted if listed.any_of(names)]
    absent = [listed.valid for listed in wanted if not listed.any_of(names)]
    for listed in wanted:
        if lacking := listed.absent():
            logger.warning("%s UTC has no %s", f"{listed.valid:%H}", ", ".join(lacking))
    if present or grid_manifest is None:
        archive = _grid(messages, present)
    else:
        others = Messages(grid_manifest)
        archive = _grid(others, others.by_valid_time())
    pieces = [
        Piece(
            (index,),
            group,
            Checks(listed.valid, destination.fields.suspicious, no_echo=no_echo),
            messages.reading(listed, group, archive),
        )
        for index, listed in enumerate(present)
        for group in read_together(names)
    ]
    folder = messages.folder
    content = Content(
        "Hourly states",
        f"{folder.parent.name.upper()} GRIB2 of {folder.name}",
        {name: name for name in names},
        {"time": time_coordinate([listed.valid for listed in present])},
        {"absent_times": " ".join(map(format_init, absent))},
    )
    write_fields(content, pieces, Target.of(destination.fields, archive), destination)


def normalise_static(
    manifest_path: Path, names: Sequence[str], model: str, destination: Destination
) -> None:
    """Write the fields of a base model that are the same at all times, each (y, x)."""
    messages = Messages(manifest_path)
    listed = messages.by_valid_time()[0]
    archive = _grid(messages, [listed])
    checks = Checks(listed.valid, destination.fields.suspicious)
    pieces = [
        Piece((), group, checks, messages.reading(listed, group)) for group in read_together(names)
    ]
    content = Content(
        "Fields that do not change",
        f"{model} GRIB2 of {messages.folder.name}",
        {name: name for name in names},
        {},
    )
    write_fields(content, pieces, Target.of(destination.fields, archive), destination)


def time_coordinate(times: Sequence[datetime]) -> xr.DataArray:
    """Valid times."""
    return xr.DataArray(
        pd.DatetimeIndex(list(times)).values.astype("datetime64[ns]"),
        dims="time",
        attrs={"standard_name": "time", "long_name": "valid time", "axis": "T"},
    )


def _grid(messages: Messages, among: Sequence[ListedFile]) -> Grid:
    """The grid of the first message in these files."""
    grid = messages.first_grid(among)
    if grid is None:
        raise StormdrawError(
            f"{messages.folder}: the archive has nothing of this day, so its grid is unknown; "
            "leave the day out of periods"
        )
    return grid
