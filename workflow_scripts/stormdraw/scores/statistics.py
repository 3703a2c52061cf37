"""A case reduced to sums and counts over its points, from which all scores are ratios."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores.block import Forecast, block_statistics, wind_statistics
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores
from stormdraw.scores.tables import assemble
from stormdraw.seeds import generator_for
from stormdraw.times import format_init
from stormdraw.variables import DERIVED_VARIABLES, STATE_VARIABLES


def ensemble_variables(ensemble: xr.Dataset) -> list[str]:
    """The variables an ensemble file has, as members or as mean and spread."""
    return [
        name
        for name in (*STATE_VARIABLES, *DERIVED_VARIABLES)
        if name in ensemble or {f"{name}_mean", f"{name}_spread"} <= set(ensemble.data_vars)
    ]


def initial_time(ensemble: xr.Dataset) -> datetime:
    """The initial time of an ensemble file."""
    return ensemble["init"].values.astype("datetime64[s]").item()


def case_statistics(
    ensemble: xr.Dataset,
    truth: xr.Dataset,
    weights: np.ndarray,
    run_seed: int,
    scores: Scores | None = None,
    *,
    regions: Mapping[str, np.ndarray] | None = None,
    common: xr.Dataset | None = None,
    threads: int = 1,
    may_be_missing: bool = False,
) -> xr.Dataset:
    """Sufficient statistics of a case, with dims (variable, lead, region) and those of `tables`.

    `ensemble` has (member, lead, y, x) for each variable, or `<VAR>_mean` and `<VAR>_spread` (lead,
    y, x), and a scalar `init`; `truth` has (lead, y, x) for the same leads; `weights` is (y, x);
    `regions` are masks (y, x), the whole domain if there are none. All sums are weighted; counts
    are not. A member with no finite value at a lead is left out there, and a point counts where the
    truth and all other members are finite, and where `common` (variable, lead, y, x) says that all
    other systems have it too. One variable at one lead is in memory at a time, and for the wind
    vector two.

    A lead without a member or a point counts for nobody once systems are compared, and is told in
    the table of what is missing. Raises StormdrawError if a variable has no point that counts at
    any lead, unless `common` says so too or all of it `may_be_missing`.
    """
    scores = Scores() if scores is None else scores
    if regions is None:
        regions = {WHOLE_DOMAIN: np.ones(weights.shape, bool)}
    region_weights = np.stack([np.where(mask, weights, 0.0) for mask in regions.values()])
    variables = ensemble_variables(ensemble)
    # Systems in common have the leads of all: what one lacks altogether is missing there.
    leads = [int(lead) for lead in (ensemble if common is None else common)["lead"].values]
    init = format_init(initial_time(ensemble))
    blocks = []
    for name in variables:
        for lead in leads:
            points = None
            if common is not None:
                points = common["points"].sel(variable=name, lead=lead).values.astype(bool)
            # Nothing holds the forecast any longer than this: a block is all that is in memory.
            block = block_statistics(
                read_forecast(ensemble, name, lead),
                truth[name].sel(lead=lead).values,
                region_weights,
                points,
                scores,
                generator_for(run_seed, "ranks", init, name, lead),
                threads,
            )
            if name == "WIND10" and {"U10", "V10"} <= set(ensemble.data_vars):
                u, v = (read_forecast(ensemble, part, lead) for part in ("U10", "V10"))
                observed_wind = (
                    truth["U10"].sel(lead=lead).values,
                    truth["V10"].sel(lead=lead).values,
                )
                block |= wind_statistics((u, v), observed_wind, region_weights, points, threads)
            blocks.append(block)
        if (
            common is None
            and not may_be_missing
            and not any(block["points"][0] for block in blocks[-len(leads) :])
        ):
            raise StormdrawError(
                f"{name} at init {init}: at no lead is there a point where the truth and the "
                "members are finite; see which of the two files is empty"
            )
    # Alone: the ensemble's grid mapping would come along.
    init_alone = ensemble["init"].reset_coords(drop=True)
    return assemble(blocks, variables, leads, list(regions)).assign_coords(init=init_alone)


def read_forecast(ensemble: xr.Dataset, name: str, lead: int) -> Forecast:
    """One variable at one lead; where the file lacks the lead, all is missing."""
    if lead not in ensemble["lead"].values:
        return _absent(ensemble, name)
    if name not in ensemble:
        mean, spread = (
            ensemble[f"{name}_{kind}"].sel(lead=lead).values for kind in ("mean", "spread")
        )
        return Forecast(name, None, mean, spread)
    members = ensemble[name].sel(lead=lead).transpose("member", "y", "x").values
    present = [_is_present(member) for member in members]
    # Selecting copies, so only where there is something to leave out.
    chosen = members if all(present) else members[present]
    return Forecast(name, chosen, absent=len(members) - len(chosen))


def _absent(ensemble: xr.Dataset, name: str) -> Forecast:
    """A forecast of nothing, by as many members as the file has."""
    shape = (ensemble.sizes["y"], ensemble.sizes["x"])
    if name not in ensemble:
        return Forecast(name, None, *np.full((2, *shape), np.nan, np.float32))
    return Forecast(name, np.empty((0, *shape), np.float32), absent=ensemble.sizes["member"])


def _is_present(member: np.ndarray) -> bool:
    """Whether a member (y, x) has any finite value; mostly the first row tells."""
    return bool(np.isfinite(member[:1]).any() or np.isfinite(member).any())
