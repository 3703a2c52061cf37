"""HRRR's own forecast of a case: `results/fields/hrrr_forecast/{init}.nc`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.membership import hrrr_run
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import apart
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.normalise import WIND_CONVENTION
from stormdraw.fields.quality import Finding, note_suspicious, write_findings
from stormdraw.fields.reference import Placed, Regridding, member_rows
from stormdraw.fields.settings import Fields
from stormdraw.fields.threads import in_order
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.times import hours


def regrid_forecast(
    manifest_path: Path,
    init: datetime,
    leads: Sequence[int],
    names: Sequence[str],
    target: Grid,
    fields: Fields,
    output: Path,
    quality: Path,
    settings: dict[str, Any],
    threads: int = 1,
    *,
    age: int,
) -> None:
    """Write each variable of the run that started `age` hours before `init`, as (lead, y, x).

    A lead that is absent from the archive is NaN; what is suspicious is listed in the table
    `quality`. Raises StormdrawError if all leads are absent.
    """
    manifest, run = read_manifest(manifest_path), hrrr_run(init, age)
    rows = {lead: member_rows(manifest, run, init, lead) for lead in leads}
    start = init - hours(age)
    if all(found.empty for found in rows.values()):
        raise StormdrawError(
            f"{manifest_path}: nothing of HRRR's forecast of {start:%Y-%m-%d %H} UTC is in the "
            "archive; add another archive.source, or leave out the systems made of it"
        )
    description = attributes(
        "HRRR's forecast on the target grid", f"HRRR run of {start:%Y-%m-%d %H} UTC", settings
    )
    description["wind_convention"] = WIND_CONVENTION
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    regridding = Regridding(manifest_path.parent, target, fields)

    def read(wanted: tuple[int, tuple[str, ...]]) -> Placed | None:
        j, group = wanted
        if rows[leads[j]].empty:
            return None
        return regridding.read(rows[leads[j]], group, init + hours(leads[j]), run.name)

    findings: list[Finding] = []
    wanted = [(j, group) for j in range(len(leads)) for group in apart(names)]
    with written_in_parts(
        output, target, leading, {name: name for name in names}, description, fields.store
    ) as file:
        for (j, group), placed in zip(wanted, in_order(read, wanted, threads), strict=True):
            for position, name in enumerate(group):
                file[name][j] = np.nan if placed is None else placed.fields[position]
            findings += [] if placed is None else placed.findings
        note_suspicious(file, findings, fields.suspicious)
    write_findings(findings, quality)
