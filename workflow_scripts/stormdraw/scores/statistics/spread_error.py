"""The error of the ensemble's mean, and whether the spread of its members is as large."""

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.verification import Points

# Bins of the spread, half an octave each; the first holds what the archive cannot resolve.
_BINS = 26


def spread_bin_edges(precision: float) -> np.ndarray:
    """Upper edges of all bins but the last: the precision, and half-octaves above it."""
    return precision * 2.0 ** (0.5 * np.arange(_BINS - 1))


def _sums(points: Points) -> Arrays:
    variance, squared_error = points.variance, points.error**2
    edges = spread_bin_edges(points.precision)
    bins = np.searchsorted(edges, np.sqrt(variance), side="right")
    return {
        "error_sum": points.sum(points.error),
        "squared_error_sum": points.sum(squared_error),
        "variance_sum": points.sum(variance),
        "spread_bin_weight_sum": points.sum_by(bins, np.ones(bins.shape), _BINS),
        "spread_bin_variance_sum": points.sum_by(bins, variance, _BINS),
        "spread_bin_squared_error_sum": points.sum_by(bins, squared_error, _BINS),
    }


def _metrics(cases: Cases) -> Arrays:
    """RMSE, bias, spread, and the ratio of spread to error; one member has no spread.

    The ratio is of the variance that a calibrated ensemble's mean would show as squared error:
    (M + 1) / M times that of its members, case by case, since M may differ. A distribution known by
    mean and spread (M = 0) is not inflated. `rmse_matched` is the mean over all subsets of m
    members: error_m = squared error + variance (1/m - 1/M).

    Reports of stations differ from the truth of a grid cell by an error of their own. With its
    variance added the ratio is 1 of an ensemble that is calibrated for grid cells.
    """
    variance = cases.of_case("variance_sum")
    size = np.where(cases.members > 0, cases.members, np.inf)
    inflated = cases.total(np.where(cases.members == 1, np.nan, 1.0 + 1.0 / size) * variance)
    scores = {
        "rmse": np.sqrt(cases.mean("squared_error_sum")),
        "bias": cases.mean("error_sum"),
        "spread": np.where(np.isnan(inflated), np.nan, np.sqrt(cases.mean("variance_sum"))),
        "spread_error_ratio": np.sqrt(ratio(inflated, cases["squared_error_sum"])),
    }
    if "observation_variance_sum" in cases:
        of_reports = inflated + cases["observation_variance_sum"]
        scores["spread_error_ratio_with_observation_error"] = np.sqrt(
            ratio(of_reports, cases["squared_error_sum"])
        )
    if cases.matched is not None:
        matched = cases.of_case("squared_error_sum") + variance * (1.0 / cases.matched - 1.0 / size)
        scores["rmse_matched"] = np.sqrt(ratio(cases.total(matched), cases["weight_sum"]))
    return scores


_IN_BINS = {
    "spread_bin_weight_sum": "weight of the points whose spread lies in the bin",
    "spread_bin_variance_sum": "weighted sum of their variance over members",
    "spread_bin_squared_error_sum": "weighted sum of their mean's squared error",
}

SCORE = Score(
    sums={
        "error_sum": Sum("weighted sum of the mean's error, forecast minus truth"),
        "squared_error_sum": Sum("weighted sum of the mean's squared error"),
        "variance_sum": Sum("weighted sum of the variance over members, divided by M - 1"),
    }
    | {
        name: Sum(meaning, ("region", "spread_bin"), for_diagrams=True)
        for name, meaning in _IN_BINS.items()
    },
    points=_sums,
    metrics={
        "rmse": Metric("RMSE of the mean", "low", offered=True),
        "bias": Metric("bias of the mean"),
        "spread": Metric("spread"),
        "spread_error_ratio": Metric("spread / RMSE", "one", "ratio", offered=True),
        "spread_error_ratio_with_observation_error": Metric(best="one", kind="ratio"),
        "rmse_matched": Metric(best="low"),
    },
    cases=_metrics,
    lengths={"spread_bin": _BINS},
    place=2,
)
