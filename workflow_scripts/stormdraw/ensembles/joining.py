"""Joins files that hold some members or some leads each into one ensemble."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.grids import Grid
from stormdraw.variables import scored_variables

_SHARE, _BY_LEAD = "bounded_share_", "spread_factor_"


def join_parts(
    parts: Sequence[Path], case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """Write the ensemble of the members in the files `parts`, ordered by their numbers.

    Each part has some members at all leads of the case, or all members at some of them, the first
    leads in the first part. One state is in memory at a time. The attributes are those of the
    parts; the share of points changed by bounds is averaged over members and hours. Raises
    StormdrawError if a member at a lead is in two parts.
    """
    with contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(xr.open_dataset(path, engine="netcdf4", decode_timedelta=False))
            for path in parts
        ]
        found = [
            (int(member), lead)
            for part in opened
            for member in part["member"].values
            for lead in leads_of(part)
        ]
        if len(set(found)) < len(found):
            raise StormdrawError(
                f"{parts[0].parent}: a member is in two of {', '.join(p.name for p in parts)}; "
                "delete them to draw the members again"
            )
        members = sorted({member for member, _ in found})
        leads = list(case.leads)
        # Wind speed is taken from the parts, since its components were rounded there.
        names = scored_variables(list(case.variables))
        with ensemble_file(
            *(output, Grid.of(opened[0]), replace(case, variables=names), members, settings),
            *(_notes(opened, leads), True),
        ) as put:
            for part in opened:
                for k, member in enumerate(part["member"].values):
                    for j, lead in enumerate(leads_of(part)):
                        state = part.isel(member=k, lead=j)
                        put(
                            members.index(int(member)),
                            leads.index(lead),
                            np.stack([state[name].values for name in names]),
                        )


def _notes(parts: Sequence[xr.Dataset], leads: Sequence[int]) -> dict[str, Any]:
    """The attributes of the joined file, except those about its writing."""
    written = {"Conventions", "title", "source", "history", "settings", "settings_hash"}
    first = parts[0].attrs
    notes = {name: value for name, value in first.items() if name not in written}
    counts = [part.sizes["member"] * _hours(part, leads) for part in parts]
    for name in notes:
        if name.startswith(_SHARE):
            shares = [float(part.attrs[name]) for part in parts]
            notes[name] = np.float32(np.average(shares, weights=counts))
        if name.startswith(_BY_LEAD):
            notes[name] = np.concatenate([np.atleast_1d(part.attrs[name]) for part in parts])
    return notes


def _hours(part: xr.Dataset, leads: Sequence[int]) -> int:
    """How many hours were drawn for the leads of a part."""
    own = leads_of(part)
    return own[-1] - max((lead for lead in leads if lead < own[0]), default=0)
