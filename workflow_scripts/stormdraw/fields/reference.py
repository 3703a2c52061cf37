"""A reference ensemble's fields on the target grid: `results/fields/{source}/{init}.nc`."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.membership import Member, href_members
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import decode_state
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.normalise import WIND_CONVENTION
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.times import hours

logger = logging.getLogger(__name__)


def regrid_members(
    manifest_path: Path,
    init: datetime,
    leads: Sequence[int],
    names: Sequence[str],
    target: Grid,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write each variable of HREF's members as (member, lead, y, x).

    A member that is absent from the archive at a lead is NaN there.
    """
    manifest = read_manifest(manifest_path)
    members = href_members(init)
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
        "Members of the reference ensemble on the target grid",
        f"HREF member files for the cycle {init:%Y-%m-%d %H} UTC",
        settings,
    )
    description["wind_convention"] = WIND_CONVENTION
    with written_in_parts(
        output, target, leading, {name: name for name in names}, description
    ) as file:
        for k, member in enumerate(members):
            logger.info("%s: %s", f"{init:%Y%m%d%H}", member.name)
            for j, lead in enumerate(leads):
                rows = member_rows(manifest, member, init, lead)
                if rows.empty:
                    for name in names:
                        file[name][k, j] = np.nan
                    continue
                state, _ = decode_state(manifest_path.parent, rows, names, target)
                for name, field in zip(names, state, strict=True):
                    file[name][k, j] = field


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
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write `<variable>_mean` and `<variable>_spread`, each (lead, y, x), of HREF's products."""
    manifest = read_manifest(manifest_path)
    variables = {f"{name}_{statistic}": name for name in names for statistic in ("mean", "spread")}
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    description = attributes(
        "Mean and spread of the reference ensemble on the target grid",
        f"HREF product files of the cycle {init:%Y-%m-%d %H} UTC",
        settings,
    )
    with written_in_parts(output, target, leading, variables, description) as file:
        for j, lead in enumerate(leads):
            for statistic in ("mean", "spread"):
                rows = manifest[
                    (manifest["init"] == init)
                    & (manifest["lead"] == lead)
                    & (manifest["statistic"] == statistic)
                    & (manifest["status"] == "ok")
                ]
                if rows.empty:
                    raise StormdrawError(
                        f"{manifest_path}: has no HREF {statistic} for {init:%Y-%m-%d %H} UTC "
                        f"+ {lead} h"
                    )
                state, _ = decode_state(manifest_path.parent, rows, names, target)
                for name, field in zip(names, state, strict=True):
                    file[f"{name}_{statistic}"][j] = field
