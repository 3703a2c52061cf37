"""The fields that forecasts are compared with."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import absent_times
from stormdraw.grids import Grid
from stormdraw.times import hours


def load_truth(
    paths: Sequence[Path], init: datetime, leads: Sequence[int], variables: Sequence[str]
) -> xr.Dataset:
    """The truth valid at `init` + each lead (h), with dims (lead, y, x).

    `paths` are files of fields with dims (time, y, x); the first that has a time gives it. WIND10
    is derived from U10 and V10. A time that the archive lacks, and may lack, is missing at all
    points.

    Raises StormdrawError if a time or a variable is in none of the files, or if their grids differ.
    """
    found: dict[int, xr.Dataset] = {}
    grid: Grid | None = None
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as fields:
            for lead in leads:
                valid_time = np.datetime64(init + hours(lead))
                position = np.flatnonzero(fields["time"].values == valid_time)
                if lead in found or position.size == 0:
                    continue
                grid = grid or Grid.of(fields)
                if not grid.matches(Grid.of(fields)):
                    raise StormdrawError(
                        f"{path}: its grid is not that of {paths[0]}; make the fields anew"
                    )
                state = fields.isel(time=int(position[0]), drop=True)
                found[lead] = _select(state, variables, path)
    absent = absent_times(paths)
    for lead in leads:
        if lead not in found and init + hours(lead) in absent:
            found[lead] = _missing(paths[0], variables)
        if lead not in found:
            raise StormdrawError(
                f"{', '.join(map(str, paths))}: no truth valid at "
                f"{init + hours(lead):%Y-%m-%d %H} UTC, {lead} h after {init:%Y-%m-%d %H} UTC; "
                "fetch that time or leave out the lead"
            )
    index = pd.Index(np.array(leads, np.int32), name="lead")
    # Coordinates that differ in the last digit of a header are the same.
    states = [found[lead] for lead in leads]
    return xr.concat(states, index, coords="minimal", compat="override", join="override")


def _missing(path: Path, variables: Sequence[str]) -> xr.Dataset:
    """A state (y, x) without a value, on the grid of a file of fields."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as fields:
        coordinates = fields.drop_vars(list(fields.data_vars)).drop_vars("time").coords
        shape = tuple(fields.sizes[name] for name in ("y", "x"))
        nothing = {
            name: (("y", "x"), np.full(shape, np.nan, dtype=np.float32)) for name in variables
        }
        return xr.Dataset(nothing, coords=coordinates).load()


def _select(state: xr.Dataset, variables: Sequence[str], path: Path) -> xr.Dataset:
    """The variables of one state (y, x), in memory."""
    chosen = {}
    for name in variables:
        sources = ("U10", "V10") if name == "WIND10" else (name,)
        for source in sources:
            if source not in state:
                raise StormdrawError(f"{path}: no variable {source}, which {name} is scored with")
        if name == "WIND10":
            speed = np.hypot(state["U10"].values, state["V10"].values)
            chosen[name] = state["U10"].copy(data=speed)
        else:
            chosen[name] = state[name].load()
    return xr.Dataset(chosen).assign_coords(projection=state["projection"])
