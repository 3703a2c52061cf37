"""Scores as ratios of sums over cases."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from stormdraw.scores.tables import TABLES

# Sums over cases by name, each (resample, lead, ...); scores are (resample, lead).
Sums = Mapping[str, np.ndarray]

# Those whose length is the number of members are summed by it, see `stormdraw.scores.sizes`.
_SUMMED_TABLES = tuple(
    name
    for name, table in TABLES.items()
    if name != "threshold_value" and not {"rank", "order", "exceeding"} & set(table.dims)
)


def sums_over_cases(
    system: xr.Dataset, resamples: np.ndarray, matched_members: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Weighted sums of each statistic, (resample, lead, ...), of one variable's (init, lead, ...).

    `resamples` is (resample, init). Tables whose length is the number of members are left out, and
    a case without a point that counts adds nothing. `inflated_variance_sum` is the variance a
    calibrated ensemble's mean would show as squared error: (M + 1) / M times the members' own, case
    by case, since M may differ. It is NaN for M = 1, which has no spread to speak of, and not
    inflated for a distribution known by mean and spread (M = 0).

    With `matched_members` m (init, lead), `crps_matched_sum` and `squared_error_matched_sum` are
    what random subsets of m members score on average over all subsets, see `matched_sums`.
    """
    members, counted = system["members"].values, system["points"].values > 0
    inflation = np.where(members == 1, np.nan, 1.0 + 1.0 / np.where(members > 0, members, np.inf))
    by_case = {
        str(name): values.values.astype(np.float64)
        for name, values in system.data_vars.items()
        if (str(name).endswith("_sum") and name not in TABLES)
        or name in ("points", *_SUMMED_TABLES)
    }
    by_case["inflated_variance_sum"] = inflation * by_case["variance_sum"]
    if matched_members is not None:
        by_case |= matched_sums(by_case, members, matched_members)
    for name in ("inflated_variance_sum", "crps_matched_sum", "squared_error_matched_sum"):
        if name in by_case:
            by_case[name] = np.where(counted, by_case[name], 0.0)
    return {name: np.tensordot(resamples, values, 1) for name, values in by_case.items()}


def matched_sums(sums: Sums, members: np.ndarray, matched: np.ndarray) -> dict[str, np.ndarray]:
    """Sums of the standard CRPS and squared error of subsets of `matched` = m members.

    The mean over all subsets, which random ones only approach, is known: the mean distance to the
    truth and the mean distance between two members are the same in subsets as in the whole, so that

        crps_m  = fair + (standard - fair) M / m
        error_m = squared error + variance (1/m - 1/M)

    The fair CRPS itself has the same mean whatever m is. NaN where M < m: a smaller ensemble has
    no such subsets.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.where((members >= matched) & (matched > 0), matched, np.nan).astype(np.float64)
        penalty = sums["crps_standard_sum"] - sums["crps_fair_sum"]
        return {
            "crps_matched_sum": sums["crps_fair_sum"] + penalty * members / m,
            "squared_error_matched_sum": sums["squared_error_sum"]
            + sums["variance_sum"] * (1.0 / m - 1.0 / members),
        }


def metrics(sums: Sums, has_members: bool) -> dict[str, np.ndarray]:
    """Every score of one value at a time that does not need a second system, by name.

    Ensemble CRPS is left out for a distribution known only by mean and spread.
    """
    weight = sums["weight_sum"]
    scores = {
        "crps_gaussian": ratio(sums["crps_gaussian_sum"], weight),
        "rmse": np.sqrt(ratio(sums["squared_error_sum"], weight)),
        "bias": ratio(sums["error_sum"], weight),
        # One member has none.
        "spread": np.where(
            np.isnan(sums["inflated_variance_sum"]),
            np.nan,
            np.sqrt(ratio(sums["variance_sum"], weight)),
        ),
        "spread_error_ratio": np.sqrt(
            ratio(sums["inflated_variance_sum"], sums["squared_error_sum"])
        ),
    }
    if has_members:
        scores["crps_fair"] = ratio(sums["crps_fair_sum"], weight)
        scores["crps_standard"] = ratio(sums["crps_standard_sum"], weight)
    if "crps_matched_sum" in sums:
        scores["crps_matched"] = ratio(sums["crps_matched_sum"], weight)
        scores["rmse_matched"] = np.sqrt(ratio(sums["squared_error_matched_sum"], weight))
    return scores


def skill(
    own: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray], suffix: str = ""
) -> dict[str, np.ndarray]:
    """1 - CRPS / CRPS of the reference, named by the CRPS that both have.

    Fair CRPS if both are ensembles; else the Gaussian CRPS of both, never one against the other.
    """
    kind = shared_crps(own, reference)
    name = "crps_skill" if kind == "crps_fair" else "crps_gaussian_skill"
    return {name + suffix: 1.0 - ratio(own[kind], reference[kind])}


def shared_crps(own: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> str:
    """The CRPS by which two systems may be compared."""
    both_have_members = "crps_fair" in own and "crps_fair" in reference
    return "crps_fair" if both_have_members else "crps_gaussian"


def is_ensemble(system: xr.Dataset) -> bool:
    """Whether one variable is known by members, wherever a point counts."""
    members = system["members"].values[system["points"].values > 0]
    return bool(members.size and (members > 0).all())


def smallest_ensembles(system: xr.Dataset) -> np.ndarray:
    """The fewest members of any case at each lead, (lead,); 0 by mean and spread, or without one.

    Of one variable. A case without a point that counts at a lead is none of it.
    """
    members, counted = system["members"].values, system["points"].values > 0
    fewest = np.where(counted, members, np.iinfo(np.int64).max).min(axis=0)
    return np.where(counted.any(axis=0), fewest, 0)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator over denominator, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    undefined = np.full(shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.not_equal(denominator, 0.0))
