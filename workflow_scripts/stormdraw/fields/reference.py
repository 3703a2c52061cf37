"""A reference ensemble's fields on the target grid: `results/fields/{source}/{init}.nc`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import ABSENT, read_manifest
from stormdraw.archive.membership import Member, members_at
from stormdraw.errors import StormdrawError
from stormdraw.fields.coarsening import coarsen, fine_grid
from stormdraw.fields.decoding import apart, decode_state
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.normalise import WIND_CONVENTION
from stormdraw.fields.quality import Finding, check, note_suspicious, write_findings
from stormdraw.fields.settings import Fields
from stormdraw.fields.threads import in_order
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.times import hours


@dataclass(frozen=True)
class Placed:
    """Fields on the target grid, float32 (variable, y, x), and what was suspicious before."""

    fields: np.ndarray
    findings: list[Finding]


@dataclass(frozen=True)
class Regridding:
    """A cycle's manifest, and the grid its fields are put on.

    They are interpolated to the grid that the analyses come on, then averaged over the same blocks.
    """

    folder: Path
    target: Grid
    fields: Fields

    def read(
        self,
        rows: pd.DataFrame,
        names: Sequence[str],
        valid: datetime,
        label: str,
        bounded: bool = True,
    ) -> Placed:
        """Decode these variables of one valid time; `label` names the member in the findings.

        Not `bounded` if values are a spread, which the table's bounds are not about.
        """
        findings: list[Finding] = []

        def checked(name: str, field: np.ndarray) -> np.ndarray:
            if not bounded:
                return field
            field, found = check(field, name, valid, self.fields.suspicious, label)
            findings.extend(found)
            return field

        factor = self.fields.coarsen
        fine = fine_grid(self.target, factor)
        state, _ = decode_state(self.folder, rows, names, fine, checked)
        if factor > 1:
            averaged = [coarsen(f, factor, n) for n, f in zip(names, state, strict=True)]
            state = np.stack(averaged)
        return Placed(state, findings)


def regrid_members(
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
    reference: str,
) -> None:
    """Write the members of `reference` (`href` or `refs`) as `regrid_runs` does."""
    regrid_runs(
        manifest_path,
        *(init, leads, names, target, fields, output, quality, settings, threads),
        members=members_at(reference, init),
        ensemble=reference.upper(),
    )


def regrid_runs(
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
    members: Sequence[Member],
    ensemble: str,
) -> None:
    """Write each variable of the members of an ensemble, (member, lead, y, x).

    A member that is absent from the archive at a lead is NaN there. What is suspicious is listed
    in the table `quality`.
    """
    manifest = read_manifest(manifest_path)
    leading = {
        "member": xr.DataArray(
            [member.name for member in members],
            dims="member",
            attrs={"standard_name": "realization", "long_name": "model and age of its run"},
        ),
        "lead": lead_coordinate(leads),
        "init": init_coordinate(init),
    }
    description = attributes(
        f"Members of {ensemble} on the target grid",
        f"{ensemble} member files for the cycle {init:%Y-%m-%d %H} UTC",
        settings,
    )
    description["wind_convention"] = WIND_CONVENTION
    regridding = Regridding(manifest_path.parent, target, fields)

    def read(wanted: tuple[int, int, tuple[str, ...]]) -> Placed | None:
        k, j, group = wanted
        rows = member_rows(manifest, members[k], init, leads[j])
        if rows.empty:
            return None
        return regridding.read(rows, group, init + hours(leads[j]), members[k].name)

    findings: list[Finding] = []
    wanted = [
        (k, j, group)
        for k in range(len(members))
        for j in range(len(leads))
        for group in apart(names)
    ]
    with written_in_parts(
        output, target, leading, {name: name for name in names}, description, fields.store
    ) as file:
        for (k, j, group), placed in zip(wanted, in_order(read, wanted, threads), strict=True):
            for position, name in enumerate(group):
                file[name][k, j] = np.nan if placed is None else placed.fields[position]
            findings += [] if placed is None else placed.findings
        note_suspicious(file, findings, fields.suspicious)
    write_findings(findings, quality)


def member_rows(manifest: pd.DataFrame, member: Member, init: datetime, lead: int) -> pd.DataFrame:
    """The manifest's rows of one member at one lead of a cycle; none if it is absent there."""
    start = init - hours(member.age)
    return manifest[
        (manifest["member"] == member.name)
        & (manifest["init"] == start)
        & (manifest["lead"] == member.own_lead(lead))
        & (manifest["status"] == "ok")
    ]


def regrid_products(
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
    reference: str,
) -> None:
    """Write `<variable>_mean` and `<variable>_spread`, each (lead, y, x), of the products.

    Both are NaN at a lead whose files are absent from the archive. Only the means are held against
    the table's bounds, and listed in the table `quality`.
    """
    manifest = read_manifest(manifest_path)
    variables = {f"{name}_{statistic}": name for name in names for statistic in ("mean", "spread")}
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    description = attributes(
        "Mean and spread of the reference ensemble on the target grid",
        f"{reference.upper()} product files of the cycle {init:%Y-%m-%d %H} UTC",
        settings,
    )
    regridding = Regridding(manifest_path.parent, target, fields)

    def read(wanted: tuple[int, str, tuple[str, ...]]) -> Placed | None:
        j, statistic, group = wanted
        rows = _product_rows(manifest, manifest_path, init, leads[j], statistic)
        if (rows["status"] == ABSENT).all():
            return None
        valid = init + hours(leads[j])
        return regridding.read(rows, group, valid, statistic, statistic == "mean")

    findings: list[Finding] = []
    wanted = [
        (j, statistic, group)
        for j in range(len(leads))
        for statistic in ("mean", "spread")
        for group in apart(names)
    ]
    with written_in_parts(output, target, leading, variables, description, fields.store) as file:
        for (j, statistic, group), placed in zip(
            wanted, in_order(read, wanted, threads), strict=True
        ):
            for position, name in enumerate(group):
                field = np.nan if placed is None else placed.fields[position]
                file[f"{name}_{statistic}"][j] = field
            findings += [] if placed is None else placed.findings
    write_findings(findings, quality)


def _product_rows(
    manifest: pd.DataFrame, path: Path, init: datetime, lead: int, statistic: str
) -> pd.DataFrame:
    """A product's rows, which may say that it was looked for in vain."""
    rows = manifest[
        (manifest["init"] == init)
        & (manifest["lead"] == lead)
        & (manifest["statistic"] == statistic)
    ]
    if rows.empty:
        raise StormdrawError(f"{path}: has no {statistic} for {init:%Y-%m-%d %H} UTC + {lead} h")
    return rows
