"""Which points can be compared: those that no system lacks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.files import replacing
from stormdraw.provenance import attributes
from stormdraw.scores.statistics import ensemble_variables, read_forecast


def write_points(ensemble_path: Path, output_path: Path) -> xr.Dataset:
    """Write where all members of an ensemble that are there are finite.

    `points` (variable, lead, y, x) is 0 or 1; it is 0 throughout at a lead with no member. Returns
    what was written.
    """
    with xr.open_dataset(ensemble_path, engine="netcdf4", decode_timedelta=False) as ensemble:
        variables = ensemble_variables(ensemble)
        leads = [int(lead) for lead in ensemble["lead"].values]
        shape = (len(variables), len(leads), ensemble.sizes["y"], ensemble.sizes["x"])
        points = np.empty(shape, np.int8)
        for index, name in enumerate(variables):
            for step, lead in enumerate(leads):
                points[index, step] = read_forecast(ensemble, name, lead).valid()
        system = str(ensemble.attrs["system"])
    found = xr.Dataset(
        {
            "points": (
                ("variable", "lead", "y", "x"),
                points,
                {"long_name": "1 where all members that are there are finite"},
            )
        },
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
        },
        attrs={
            **attributes(f"points of {system} that can be scored", system, {}),
            "system": system,
        },
    )
    with replacing(output_path) as temporary:
        encoding = {"points": {"zlib": True, "complevel": 1}}
        found.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    return found


def common_points(paths: Sequence[Path]) -> xr.Dataset:
    """`points` (variable, lead, y, x) that every system has which has the variable.

    A lead that one system's file lacks altogether counts for none.
    """
    merged: dict[str, xr.DataArray] = {}
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as found:
            points = found["points"].load()
        for name in points["variable"].values:
            own = points.sel(variable=name, drop=True)
            if name in merged:
                both = xr.align(merged[name], own, join="outer", fill_value=np.int8(0))
                merged[name] = both[0] & both[1]
            else:
                merged[name] = own
    names = np.array(list(merged), dtype=object)
    aligned = xr.align(*merged.values(), join="outer", fill_value=np.int8(0))
    stacked = np.stack([values.transpose("lead", "y", "x").values for values in aligned])
    return xr.Dataset(
        {"points": (("variable", "lead", "y", "x"), stacked)},
        coords={"variable": names, "lead": aligned[0]["lead"]},
    )
