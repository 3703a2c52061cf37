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
    """The members that are there, or `only` those of these names, (member, lead, y, x).

    A member absent at one lead is missing (NaN) there; one absent at all leads is left out, and the
    attribute `absent_members` names it. A lead with fewer than `minimum` is missing as a whole if
    that `may_be_missing`; else it raises StormdrawError.
    """
    with xr.open_dataset(regridded, engine="netcdf4") as dataset:
        require_leads(dataset, case.leads, regridded)
        if only is not None:
            dataset = dataset.sel(member=list(only))
        present = _presence(dataset, case)
        if may_be_missing:
            present[:, present.sum(axis=0) < minimum] = False
        else:
            _require(present, minimum, regridded, case)
        # Of a case without any, one missing member stands for all.
        kept = np.flatnonzero(present.any(axis=1)) if present.any() else np.array([0])
        labels = [str(label) for label in dataset["member"].values]
        absent = [label for k, label in enumerate(labels) if k not in kept]
        notes = {"absent_members": " ".join(absent) or "none"}
        with ensemble_file(
            output, Grid.of(dataset), case, [labels[k] for k in kept], settings, notes
        ) as put:
            for k, source in enumerate(kept):
                for j, lead in enumerate(case.leads):
                    fields = dataset.isel(member=source).sel(lead=lead)
                    state = np.stack([fields[name].values for name in case.variables])
                    put(k, j, state if present[source, j] else np.full_like(state, np.nan))


def _presence(dataset: xr.Dataset, case: Case) -> np.ndarray:
    """Which members have any value, (member, lead)."""
    first = dataset[case.variables[0]].sel(lead=list(case.leads))
    return np.array(
        [[bool(field.notnull().any()) for field in leads] for leads in first], dtype=bool
    )


def _require(present: np.ndarray, minimum: int, path: Path, case: Case) -> None:
    for lead, count in zip(case.leads, present.sum(axis=0), strict=True):
        if count < minimum:
            raise StormdrawError(
                f"{path}: {count} members at lead {lead} h, but {case.system} needs "
                f"{minimum}; lower minimum_members of that system or leave the lead out"
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
