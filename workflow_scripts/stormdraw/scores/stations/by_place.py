"""The table of scores at each station."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.scores.comparison import variables
from stormdraw.scores.settings import Scores
from stormdraw.scores.stations.held_out import held_out
from stormdraw.scores.stations.systems import PLACE, StationSums
from stormdraw.scores.statistics.crps import SHARED_CRPS, shared_crps
from stormdraw.scores.summary import read_table
from stormdraw.scores.sums import ratio

PLACE_COLUMNS = (
    "system",
    "variable",
    "station",
    *PLACE,
    "held_out",
    "reports",
    "bias",
    "rmse",
    "metric",
    "crps",
    "reference_crps",
    "skill",
)
_PLACE_NUMBERS = (*PLACE, "bias", "rmse", "crps", "reference_crps", "skill")


def by_place(found: StationSums, scores: Scores) -> pd.DataFrame:
    """One row for each system, variable and station with a report that counts, PLACE_COLUMNS.

    Scores are of all cases and leads together. `metric` is the CRPS by which the system and the
    reference can be compared (`shared_crps`), or the system's own if there is no reference; `skill`
    is 1 - CRPS / CRPS of the reference.
    """
    rows = []
    for name, system in found.by_station.items():
        for variable in variables(system):
            own = _scores_at(system.sel(variable=variable))
            other = _reference_at(found, scores.reference, variable)
            metric = shared_crps(own, own if other is None else other)
            own["crps"] = own.pop(metric)
            reference = np.full(own["crps"].shape, np.nan) if other is None else other[metric]
            table = pd.DataFrame(
                {key: own[key] for key in ("reports", "bias", "rmse", "crps")},
                index=system["station"].values,
            )
            table["reference_crps"] = reference
            table["skill"] = 1.0 - ratio(own["crps"], reference)
            counting = table[table["reports"] > 0]
            rows.append(counting.assign(system=name, variable=variable, metric=metric))
    table = pd.concat(rows) if rows else pd.DataFrame(columns=list(PLACE_COLUMNS))
    table = table.join(found.places).rename_axis("station").reset_index()
    share = scores.stations.held_out_share
    table["held_out"] = [int(held_out(str(one), share)) for one in table["station"]]
    table["reports"] = table["reports"].astype(np.int64)
    return table[list(PLACE_COLUMNS)].sort_values(list(PLACE_COLUMNS[:3]), ignore_index=True)


def read_by_place(path: Path) -> pd.DataFrame:
    """Read a table of `by_place` that `write_summary` wrote."""
    return read_table(path, _PLACE_NUMBERS)


def _reference_at(
    found: StationSums, reference: str | None, variable: str
) -> dict[str, np.ndarray] | None:
    system = found.by_station.get(reference or "")
    if system is None or variable not in variables(system):
        return None
    return _scores_at(system.sel(variable=variable))


def _scores_at(system: xr.Dataset) -> dict[str, np.ndarray]:
    """Scores (station,) of one variable; kinds of CRPS that the system does not have are absent."""
    reports = system["weight_sum"].values
    scores = {
        "reports": reports,
        "bias": ratio(system["error_sum"].values, reports),
        "rmse": np.sqrt(ratio(system["squared_error_sum"].values, reports)),
    }
    for kind in SHARED_CRPS:
        total = system[f"{kind}_sum"].values
        if np.isfinite(total).all():
            scores[kind] = ratio(total, reports)
    return scores
