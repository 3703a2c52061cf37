"""Joins files that hold some members each into one ensemble."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid

_SHARE = "bounded_share_"


def join_members(
    parts: Sequence[Path], case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """Write the ensemble of the members in the files `parts`, ordered by their numbers.

    One state is in memory at a time. The attributes are those of the parts; the share of points
    changed by bounds is averaged over the members. Raises StormdrawError if a member is in two
    parts.
    """
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(xr.open_dataset(path, engine="netcdf4")) for path in parts]
        members = sorted(int(member) for part in opened for member in part["member"].values)
        if len(set(members)) < len(members):
            raise StormdrawError(
                f"{parts[0].parent}: a member is in two of {', '.join(p.name for p in parts)}; "
                "delete them to draw the members again"
            )
        place = {member: index for index, member in enumerate(members)}
        with ensemble_file(
            output, Grid.of(opened[0]), case, members, settings, _notes(opened), packed=True
        ) as put:
            for part in opened:
                for k, member in enumerate(part["member"].values):
                    for j in range(len(case.leads)):
                        state = part.isel(member=k, lead=j)
                        put(
                            place[int(member)],
                            j,
                            np.stack([state[name].values for name in case.variables]),
                        )


def _notes(parts: Sequence[xr.Dataset]) -> dict[str, Any]:
    """The attributes of the joined file, except those about its writing."""
    written = {"Conventions", "title", "source", "history", "settings", "settings_hash"}
    first = parts[0].attrs
    notes = {name: value for name, value in first.items() if name not in written}
    counts = [part.sizes["member"] for part in parts]
    for name in notes:
        if name.startswith(_SHARE):
            shares = [float(part.attrs[name]) for part in parts]
            notes[name] = np.float32(np.average(shares, weights=counts))
    return notes
