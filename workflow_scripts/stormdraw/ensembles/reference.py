"""The operational ensemble as a system: from its members, or from its mean and spread."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.forecasts import require_leads
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import (
    init_coordinate,
    lead_coordinate,
    variable_attributes,
    written_in_parts,
)
from stormdraw.grids import Grid
from stormdraw.provenance import attributes


def write_reference_members(
    regridded: Path,
    minimum: int,
    case: Case,
    output: Path,
    settings: Mapping[str, Any],
    may_be_missing: bool = False,
    only: Sequence[str] | None = None,
) -> None:
    """The members, or `only` those of these names, (member, lead, y, x).

    A variable that a member lacks at a lead is missing (NaN) there; the attribute `absent_members`
    names those that lack all. A variable with fewer than `minimum` members at a lead is missing in
    all of them if that `may_be_missing`; else it raises StormdrawError.
    """
    with xr.open_dataset(regridded, engine="netcdf4") as dataset:
        require_leads(dataset, case.leads, regridded)
        if only is not None:
            dataset = dataset.sel(member=list(only))
        present = _presence(dataset, case)
        if may_be_missing:
            present &= present.sum(axis=0) >= minimum
        else:
            _require(present, minimum, regridded, case)
        labels = [str(label) for label in dataset["member"].values]
        absent = [label for label, own in zip(labels, present, strict=True) if not own.any()]
        notes = {"absent_members": " ".join(absent) or "none"}
        with ensemble_file(output, Grid.of(dataset), case, labels, settings, notes) as put:
            for k, j in np.ndindex(len(labels), len(case.leads)):
                fields = dataset.isel(member=k).sel(lead=case.leads[j])
                state = np.stack([fields[name].values for name in case.variables])
                state[~present[k, :, j]] = np.nan
                put(k, j, state)


def _presence(dataset: xr.Dataset, case: Case) -> np.ndarray:
    """Which members have any value, (member, variable, lead)."""
    chosen = dataset.sel(lead=list(case.leads))
    # Mostly the first row tells, and no more is read.
    rows = [chosen[name].isel(y=0).notnull().any("x").values for name in case.variables]
    present = np.stack(rows, axis=1)
    for k, v, j in np.argwhere(~present):
        present[k, v, j] = chosen[case.variables[v]][k, j].notnull().any()
    return present


def _require(present: np.ndarray, minimum: int, path: Path, case: Case) -> None:
    counts = present.sum(axis=0)
    for v, j in np.argwhere(counts < minimum):
        raise StormdrawError(
            f"{path}: {counts[v, j]} members have {case.variables[v]} at lead {case.leads[j]} h, "
            f"but {case.system} needs {minimum}; lower minimum_members of that system, or leave "
            "the variable or the lead out"
        )


def write_reference_products(
    regridded: Path, case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """`<variable>_mean` and `<variable>_spread`, each (lead, y, x), known as Gaussian only."""
    description = attributes(
        f"Ensemble {case.system}", f"stormdraw method {case.method}", dict(settings)
    )
    description |= {"system": case.system, "method": case.method, "distribution": "gaussian"}
    names = {
        f"{name}_{statistic}": name for name in case.variables for statistic in ("mean", "spread")
    }
    leading = {"lead": lead_coordinate(case.leads), "init": init_coordinate(case.init)}
    with (
        xr.open_dataset(regridded, engine="netcdf4") as dataset,
        written_in_parts(output, Grid.of(dataset), leading, names, description) as file,
    ):
        require_leads(dataset, case.leads, regridded)
        for name, row in names.items():
            file[name][:] = dataset[name].sel(lead=list(case.leads)).values
            statistic = name.rsplit("_", 1)[1]
            long_name = variable_attributes(row)["long_name"]
            file[name].setncattr("long_name", f"ensemble {statistic} of {long_name}")
