"""A reference ensemble's fields on the target grid: `results/fields/{source}/{init}.nc`."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.manifest import ABSENT, read_manifest
from stormdraw.archive.membership import Member, members_at
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
    reference: str,
    leads: Sequence[int],
    names: Sequence[str],
    target: Grid,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write each variable of the members of `reference` (`href` or `refs`), (member, lead, y, x).

    A member that is absent from the archive at a lead is NaN there.
    """
    manifest = read_manifest(manifest_path)
    members = members_at(reference, init)
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
        f"{reference.upper()} member files for the cycle {init:%Y-%m-%d %H} UTC",
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
    reference: str,
    leads: Sequence[int],
    names: Sequence[str],
    target: Grid,
    output: Path,
    settings: dict[str, Any],
) -> None:
    """Write `<variable>_mean` and `<variable>_spread`, each (lead, y, x), of the products.

    Both are NaN at a lead whose files are absent from the archive.
    """
    manifest = read_manifest(manifest_path)
    variables = {f"{name}_{statistic}": name for name in names for statistic in ("mean", "spread")}
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    description = attributes(
        "Mean and spread of the reference ensemble on the target grid",
        f"{reference.upper()} product files of the cycle {init:%Y-%m-%d %H} UTC",
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
                if _is_absent(manifest, init, lead, statistic):
                    for name in names:
                        file[f"{name}_{statistic}"][j] = np.nan
                    continue
                if rows.empty:
                    raise StormdrawError(
                        f"{manifest_path}: has no {reference.upper()} {statistic} for "
                        f"{init:%Y-%m-%d %H} UTC + {lead} h"
                    )
                state, _ = decode_state(manifest_path.parent, rows, names, target)
                for name, field in zip(names, state, strict=True):
                    file[f"{name}_{statistic}"][j] = field


def _is_absent(manifest: pd.DataFrame, init: datetime, lead: int, statistic: str) -> bool:
    """Whether a product was looked for in vain."""
    listed = manifest[
        (manifest["init"] == init)
        & (manifest["lead"] == lead)
        & (manifest["statistic"] == statistic)
    ]
    return bool(len(listed)) and bool((listed["status"] == ABSENT).all())
