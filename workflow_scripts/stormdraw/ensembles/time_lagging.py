"""One ensemble of the members of several runs, valid at the same times."""

import contextlib
from collections.abc import Sequence

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.system import CaseToMake
from stormdraw.grids import Grid


def write_time_lagged(made: CaseToMake, ages: Sequence[int], counts: Sequence[int]) -> None:
    """Write the first `counts` members of each run of `made.ensembles`, (member, lead, y, x).

    The runs started `ages` hours before the case, so that a lead of the case is that much longer in
    the run. A run that has fewer members, as of a deterministic model, gives all of them. A member
    is missing (NaN) at leads that its run lacks. The attribute `missing` says why there are no
    members at all, where no run could start. One state is in memory at a time.
    """
    case = made.case
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(xr.open_dataset(path, engine="netcdf4", decode_timedelta=False))
            for path in made.ensembles
        ]
        chosen = [
            (run, member, age)
            for run, age, count in zip(runs, ages, counts, strict=True)
            for member in range(min(count, run.sizes["member"]))
        ]
        reasons = [run.attrs["missing"] for run in runs if "missing" in run.attrs]
        notes = {"missing": reasons[0]} if len(reasons) == len(runs) else {}
        members, grid = list(range(len(chosen))), Grid.of(runs[0])
        nothing = np.full((len(case.variables), *grid.shape), np.nan, np.float32)
        with ensemble_file(
            made.output, grid, case, members, made.settings, notes, packed=True
        ) as put:
            for k, j in np.ndindex(len(chosen), len(case.leads)):
                run, member, age = chosen[k]
                lead = case.leads[j] + age
                if lead not in run["lead"].values:
                    put(k, j, nothing)
                    continue
                fields = run.isel(member=member).sel(lead=lead)
                put(k, j, np.stack([fields[name].values for name in case.variables]))
