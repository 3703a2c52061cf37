"""HRRR's own forecast of a case: `results/fields/hrrr_forecast/{init}.nc`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.membership import hrrr_run
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import decode_state
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.normalise import WIND_CONVENTION
from stormdraw.fields.reference import member_rows
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.times import hours


def regrid_forecast(
    manifest_path: Path,
    init: datetime,
    age: int,
    leads: Sequence[int],
    names: Sequence[str],
    target: Grid,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write each variable of the run that started `age` hours before `init`, as (lead, y, x).

    A lead that is absent from the archive is NaN. Raises StormdrawError if all of them are.
    """
    manifest, run = read_manifest(manifest_path), hrrr_run(init, age)
    rows = {lead: member_rows(manifest, run, init, lead) for lead in leads}
    start = init - hours(age)
    if all(found.empty for found in rows.values()):
        raise StormdrawError(
            f"{manifest_path}: nothing of HRRR's forecast of {start:%Y-%m-%d %H} UTC is in the "
            "archive; add another archive.source, or leave out the baseline of kind hrrr"
        )
    description = attributes(
        "HRRR's forecast on the target grid", f"HRRR run of {start:%Y-%m-%d %H} UTC", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    with written_in_parts(
        output, target, leading, {name: name for name in names}, description
    ) as file:
        for j, lead in enumerate(leads):
            if rows[lead].empty:
                state = np.full((len(names), *target.shape), np.nan, np.float32)
            else:
                state, _ = decode_state(manifest_path.parent, rows[lead], names, target)
            for name, field in zip(names, state, strict=True):
                file[name][j] = field
