"""The forecasts of a case that systems use, as written by the fields stage."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.system import CaseToMake
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.grids import Grid


class Forecasts:
    """One forecast (lead, y, x), or several (member, lead, y, x), read state by state.

    `only` selects and orders the members of several. A context manager.
    """

    def __init__(
        self, path: Path, variables: Sequence[str], only: Sequence[str] | None = None
    ) -> None:
        self.path = path
        self.variables = tuple(variables)
        self._dataset = xr.open_dataset(path, engine="netcdf4", decode_timedelta=False)
        self.names = ["forecast"]
        if "member" in self._dataset.dims:
            if only is not None:
                self._dataset = self._dataset.sel(member=list(only))
            self.names = [str(name) for name in self._dataset["member"].values]
        self.grid = Grid.of(self._dataset)

    def __enter__(self) -> "Forecasts":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._dataset.close()

    def state(self, number: int, lead: int) -> np.ndarray:
        """The state of a forecast at a lead in hours, float32 (variable, y, x).

        NaN where missing. Raises StormdrawError for a lead that the file lacks.
        """
        require_leads(self._dataset, [lead], self.path)
        fields = self._dataset.sel(lead=lead)
        if "member" in fields.dims:
            fields = fields.isel(member=number)
        return np.stack([fields[name].values for name in self.variables]).astype(np.float32)


def require_leads(dataset: xr.Dataset, leads: Sequence[int], path: Path) -> None:
    """Raise StormdrawError if a file of forecasts lacks one of these leads, in hours."""
    present = leads_of(dataset)
    lacking = [str(lead) for lead in leads if lead not in present]
    if lacking:
        raise StormdrawError(
            f"{path}: has forecasts of {', '.join(map(str, present))} h, but not of "
            f"{', '.join(lacking)} h; delete it to make it again for these leads, or take shorter "
            "ones"
        )


def write_members(
    made: CaseToMake,
    minimum: int,
    may_be_missing: bool = False,
    only: Sequence[str] | None = None,
) -> None:
    """Write the members, or `only` those with these names, (member, lead, y, x).

    A variable that a member lacks at a lead is missing (NaN) there; the attribute `absent_members`
    names members that lack everything. If a variable has fewer than `minimum` members at a lead, it
    is missing in all of them if it `may_be_missing`; else this raises StormdrawError.
    """
    case, regridded = made.case, made.forecasts
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
        to = (made.output, Grid.of(dataset), case, labels, made.settings, notes)
        with ensemble_file(*to) as put:
            for k, j in np.ndindex(len(labels), len(case.leads)):
                fields = dataset.isel(member=k).sel(lead=case.leads[j])
                state = np.stack([fields[name].values for name in case.variables])
                state[~present[k, :, j]] = np.nan
                put(k, j, state)


def _presence(dataset: xr.Dataset, case: Case) -> np.ndarray:
    """Which members have any value, (member, variable, lead)."""
    chosen = dataset.sel(lead=list(case.leads))
    # Usually the first row is enough, and no more is read.
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
