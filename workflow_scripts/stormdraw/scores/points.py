"""Which points can be compared: those that no system lacks."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores.statistics import ensemble_variables, read_forecast


def points_of(ensemble_path: Path) -> xr.Dataset:
    """Where all members of an ensemble that are there are finite.

    `points` (variable, lead, y, x) is 0 or 1; it is 0 throughout at a lead with no member.
    """
    with xr.open_dataset(ensemble_path, engine="netcdf4", decode_timedelta=False) as ensemble:
        variables = ensemble_variables(ensemble)
        leads = [int(lead) for lead in ensemble["lead"].values]
        shape = (len(variables), len(leads), ensemble.sizes["y"], ensemble.sizes["x"])
        points = np.empty(shape, np.int8)
        for index, name in enumerate(variables):
            for step, lead in enumerate(leads):
                points[index, step] = read_forecast(ensemble, name, lead).valid()
    return _points(points, variables, leads)


def common_points(systems: Iterable[xr.Dataset]) -> xr.Dataset:
    """`points` (variable, lead, y, x) that every system has which has the variable.

    A lead that one system lacks altogether counts for none.
    """
    merged: dict[str, xr.DataArray] = {}
    for found in systems:
        for name in found["variable"].values:
            own = found["points"].sel(variable=name, drop=True)
            if name in merged:
                both = xr.align(merged[name], own, join="outer", fill_value=np.int8(0))
                merged[name] = both[0] & both[1]
            else:
                merged[name] = own
    aligned = xr.align(*merged.values(), join="outer", fill_value=np.int8(0))
    stacked = np.stack([values.transpose("lead", "y", "x").values for values in aligned])
    return _points(stacked, list(merged), aligned[0]["lead"].values)


def _points(
    points: np.ndarray, variables: Sequence[str], leads: Sequence[int] | np.ndarray
) -> xr.Dataset:
    return xr.Dataset(
        {"points": (("variable", "lead", "y", "x"), points)},
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
        },
    )
