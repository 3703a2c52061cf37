"""Scores as ratios of sums over cases."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

# Sums over cases by name, each (resample, lead); scores have the same shape.
Sums = Mapping[str, np.ndarray]


def sums_over_cases(system: xr.Dataset, resamples: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted sums of each statistic, (resample, lead), of one variable's (init, lead).

    `resamples` is (resample, init). `inflated_variance_sum` is the variance a calibrated ensemble's
    mean would show as squared error: (M + 1) / M times the members' own, case by case, since M may
    differ. It is NaN for M = 1, which has no spread to speak of, and not inflated for a
    distribution known by mean and spread (M = 0).
    """
    members = system["members"].values
    inflation = np.where(members == 1, np.nan, 1.0 + 1.0 / np.where(members > 0, members, np.inf))
    by_case = {
        str(name): values.values.astype(np.float64)
        for name, values in system.data_vars.items()
        if str(name).endswith("_sum") or name == "points"
    }
    by_case["inflated_variance_sum"] = inflation * by_case["variance_sum"]
    return {name: resamples @ values for name, values in by_case.items()}


def metrics(sums: Sums, has_members: bool) -> dict[str, np.ndarray]:
    """Every score that does not need a second system, by name.

    Ensemble CRPS is left out for a distribution known only by mean and spread.
    """
    weight = sums["weight_sum"]
    scores = {
        "crps_gaussian": ratio(sums["crps_gaussian_sum"], weight),
        "rmse": np.sqrt(ratio(sums["squared_error_sum"], weight)),
        "bias": ratio(sums["error_sum"], weight),
        "spread": np.sqrt(ratio(sums["variance_sum"], weight)),
        "spread_error_ratio": np.sqrt(
            ratio(sums["inflated_variance_sum"], sums["squared_error_sum"])
        ),
    }
    if has_members:
        scores["crps_fair"] = ratio(sums["crps_fair_sum"], weight)
        scores["crps_standard"] = ratio(sums["crps_standard_sum"], weight)
    return scores


def skill(own: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict:
    """1 - CRPS / CRPS of the reference, named by the CRPS that both have.

    Fair CRPS if both are ensembles; else the Gaussian CRPS of both, never one against the other.
    """
    kind, name = ("crps_fair", "crps_skill")
    if kind not in own or kind not in reference:
        kind, name = ("crps_gaussian", "crps_gaussian_skill")
    return {name: 1.0 - ratio(own[kind], reference[kind])}


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator over denominator, NaN where the denominator is 0."""
    undefined = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.not_equal(denominator, 0.0))
