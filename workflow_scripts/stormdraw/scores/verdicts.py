"""Is a system better than the reference or a baseline, worse, as good, or is there no telling?"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import false_discovery_control

from stormdraw.fields.netcdf import leads_of
from stormdraw.scores.comparison import check_reference, variables
from stormdraw.scores.intervals import (
    MINIMUM_DAYS,
    confidence_text,
    days_with_data,
    uncertainty,
    weightings,
)
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.crps import GAUSSIAN_CRPS, crps_metrics, shared_crps
from stormdraw.scores.summary import read_table
from stormdraw.scores.sums import Cases, smallest_ensembles
from stormdraw.variables import scored_order

COLUMNS = (
    "system",
    "reference",
    "variable",
    "lead_hours",
    "metric",
    "members",
    "reference_members",
    "cases",
    "days",
    "day_correlation",
    "effective_days",
    "value",
    "reference_value",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "adjusted_p_value",
    "diebold_mariano_p_value",
    "verdict",
    "own_crps_fair",
)
_NUMBERS = (
    *("day_correlation", "effective_days", "value", "reference_value", "difference"),
    *("ci_low", "ci_high", "p_value", "adjusted_p_value", "diebold_mariano_p_value"),
    "own_crps_fair",
)
BETTER, WORSE, NO_DIFFERENCE, UNDECIDED = "better", "worse", "no difference", "undecided"
TOO_FEW_DAYS = f"undecided: fewer than {MINIMUM_DAYS} days"
TOO_FEW_DIFFER = "undecided: too few days differ"


@dataclass(frozen=True)
class _Scored:
    """What is compared of one system and variable.

    Scores are (1 + 2 day, lead), one row for each of the `weightings`; `data` is (day, lead), the
    rest (lead,).
    """

    scores: Arrays
    members: np.ndarray
    cases: np.ndarray
    data: np.ndarray


def verdicts(
    systems: Mapping[str, xr.Dataset],
    scores: Scores,
    run_seed: int,
    standards: Sequence[str] = (),
) -> pd.DataFrame:
    """One row for each other system, variable and lead, with columns COLUMNS.

    `systems` are those of `load_systems`. They are held against `scores.reference`, and then
    against each of `standards`. `difference` is the CRPS minus that of the reference: fair if both
    are ensembles; else, which `metric` then says, that of a Gaussian with either's mean and spread.
    Its interval and p-value are of paired differences, see `stormdraw.scores.intervals`, whose
    `effective_days` and `day_correlation` stand beside. `adjusted_p_value` is corrected for the
    number of variables and leads that two systems are compared in: the false discovery rate of
    Benjamini and Yekutieli (2001, doi:10.1214/aos/1013699998), which holds however they hang
    together. `own_crps_fair` is the system's full CRPS, to stand beside a Gaussian one. What the
    two do not both have is left out; with nothing to compare with the table is empty.

    Raises StormdrawError if the reference is not among the systems.
    """
    check_reference(scores.reference, systems)
    against = [name for name in dict.fromkeys([scores.reference, *standards]) if name is not None]
    if not against:
        return pd.DataFrame(columns=list(COLUMNS))
    weights = weightings(systems[against[0]]["init"].values)
    rows: dict[str, list[dict]] = {name: [] for name in against}
    for variable in _all_variables(systems):
        scored = {
            name: _score(system.sel(variable=variable), weights)
            for name, system in systems.items()
            if variable in variables(system)
        }
        for standard in against:
            for name in sorted(set(scored) - {standard}) if standard in scored else ():
                compared = _compare(
                    scored[name], scored[standard], leads_of(systems[name]), scores, run_seed
                )
                of_both = {"system": name, "reference": standard, "variable": variable}
                rows[standard] += [of_both | row for row in compared]
    everything = [row for of_one in rows.values() for row in of_one]
    return decided(pd.DataFrame(everything, columns=list(COLUMNS)), scores)


def decided(table: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    """The table with its p-values corrected, and a verdict in each row."""
    table = table.copy()
    for _, rows in table.groupby(["system", "reference"]):
        known = rows["p_value"].dropna()
        if len(known):
            corrected = false_discovery_control(known, method="by")
            table.loc[known.index, "adjusted_p_value"] = corrected
    table["verdict"] = [verdict(row, scores) for row in table.itertuples(index=False)]
    return table


def verdict(row: Any, scores: Scores) -> str:
    """What a row says of a system; lower is better.

    Two systems are as good as each other where the whole interval lies within
    `scores.equivalence` of the reference's value. Without such proof it is undecided.
    """
    if row.days < MINIMUM_DAYS:
        return TOO_FEW_DAYS
    if np.isnan(row.ci_low):
        return TOO_FEW_DIFFER
    if row.adjusted_p_value < 1.0 - scores.confidence:
        return BETTER if row.difference < 0.0 else WORSE
    margin = scores.equivalence * abs(row.reference_value)
    if -margin <= row.ci_low and row.ci_high <= margin:
        return NO_DIFFERENCE
    return UNDECIDED


def _all_variables(systems: Mapping[str, xr.Dataset]) -> list[str]:
    """The variables of any system, in the order of the table of variables."""
    there = {name for system in systems.values() for name in variables(system)}
    return sorted(there, key=scored_order)


def _score(system: xr.Dataset, weights: np.ndarray) -> _Scored:
    return _Scored(
        crps_metrics(Cases(system, weights)),
        smallest_ensembles(system),
        (system["points"].values > 0).sum(axis=0),
        days_with_data(system),
    )


def _compare(
    own: _Scored, other: _Scored, leads: Sequence[int], scores: Scores, run_seed: int
) -> Iterator[dict]:
    """The columns of each lead but the systems' and the variable's names."""
    metric = shared_crps(own.scores, other.scores)
    value, standard = own.scores[metric], other.scores[metric]
    difference = value - standard
    sure = uncertainty(difference, own.data, scores.bootstrap_samples, run_seed)
    low, high = sure.interval(scores.confidence)
    p_value = sure.p_value()
    full = own.scores.get("crps_fair", np.full(value.shape, np.nan))
    by_day = difference[1 + len(own.data) :]
    for index, lead in enumerate(leads):
        yield {
            "lead_hours": lead,
            "metric": metric,
            "members": int(own.members[index]),
            "reference_members": int(other.members[index]),
            "cases": int(own.cases[index]),
            "days": int(sure.days[index]),
            "day_correlation": sure.correlation[index],
            "effective_days": sure.effective_days[index],
            "value": value[0, index],
            "reference_value": standard[0, index],
            "difference": difference[0, index],
            "ci_low": low[index],
            "ci_high": high[index],
            "p_value": p_value[index],
            "adjusted_p_value": np.nan,
            "diebold_mariano_p_value": diebold_mariano_p_value(by_day[:, index], lead),
            "own_crps_fair": full[0, index],
        }


def diebold_mariano_p_value(by_day: np.ndarray, lead: int) -> float:
    """The p-value of Diebold and Mariano for the differences of days (day,), a second opinion.

    Days without data are NaN. The forecast of a lead in hours is verified after as many initial
    days. NaN with fewer than MINIMUM_DAYS days, or where none differs.
    """
    # It takes seconds to import.
    from scores.stats.statistical_tests import diebold_mariano

    by_day = by_day[np.isfinite(by_day)]
    if len(by_day) < MINIMUM_DAYS or np.ptp(by_day) == 0.0:
        return np.nan
    ahead = math.ceil(lead / 24)
    series = xr.DataArray(by_day[None], dims=("lead", "day"), coords={"ahead": ("lead", [ahead])})
    with warnings.catch_warnings():
        # The fit of the autocovariance warns of series that are too short for its error, unused.
        warnings.simplefilter("ignore")
        tested = diebold_mariano(series, "lead", "ahead", statistic_distribution="t")
    above = float(tested["confidence_gt_0"][0])
    return 2.0 * min(above, 1.0 - above)


def read_verdicts(path: Path) -> pd.DataFrame:
    """The table of verdicts as `write_summary` wrote it."""
    return read_table(path, _NUMBERS)


def caveats(table: pd.DataFrame, confidence: float) -> list[str]:
    """What must be said beside a table of verdicts, a sentence or two each."""
    if table.empty:
        return []
    notes = [_blocks(table, confidence)]
    # Without a case there are no members, and nothing is compared.
    table = table[table["cases"] > 0]
    sizes = sorted({*table["members"].astype(int), *table["reference_members"].astype(int)})
    if len(sizes) > 1:
        notes.append(
            f"Ensembles of {', '.join(map(str, sizes))} members (0: known by mean and spread): the "
            "fair CRPS takes their size out for exchangeable members, and only approximately for "
            "members of different models or ages."
        )
    if 1 in sizes:
        notes.append(
            "The CRPS of a single member is its absolute error: it has no spread to be paid for."
        )
    gaussian = [kind for kind in GAUSSIAN_CRPS if (table["metric"] == kind).any()]
    if gaussian:
        notes.append(
            f"Where the metric is {' or '.join(gaussian)}, both systems are scored as Gaussians "
            "with their mean and spread; own_crps_fair is the full ensemble's, not to be set "
            "against them."
        )
    if "crps_gaussian_fair" in gaussian:
        notes.append(
            "crps_gaussian_fair takes out how few members mean and spread are of: exactly for a "
            "sample of a Gaussian, approximately for members of different models or ages or of a "
            "skewed variable. Published spreads are taken to divide by the number of members "
            "less 1."
        )
    if "crps_gaussian" in gaussian:
        notes.append(
            "crps_gaussian does not take it out: of a normal variable, the mean and spread of 10 "
            "members make it 6 % too high, those of 100 0.6 %."
        )
    return notes


def _blocks(table: pd.DataFrame, confidence: float) -> str:
    """How many blocks intervals come from, or why there are none."""
    fewest, most = int(table["days"].min()), int(table["days"].max())
    days = str(most) if fewest == most else f"{fewest} to {most}"
    if most < MINIMUM_DAYS:
        return f"{days} initial days: an interval needs at least {MINIMUM_DAYS}, and none is given."
    effective = table["effective_days"].min()
    note = (
        f"Intervals of {confidence_text(confidence)} from the paired differences of {days} initial "
        f"days, which count as {effective:.0f} independent ones where days resemble the next ones "
        "most. Verdicts are corrected for the number of variables and leads."
    )
    if fewest < MINIMUM_DAYS:
        note += f" With fewer than {MINIMUM_DAYS} an interval is withheld."
    if (table["verdict"] == TOO_FEW_DIFFER).any():
        note += (
            " It is withheld, too, where so few days differ from the others that a resample may "
            "well have none of them."
        )
    return note
