"""The variogram score of a field's differences from point to point."""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.verification import Fields


def variogram_sums(
    members: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray,
    lags: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the standard and fair variogram score of order 1/2, (region,).

    `members` are (member, y, x), `truth` (y, x), `weights` (region, y, x), 0 where a point does not
    count. Pairs are points `lags` apart along a row or a column, each with the product of its
    points' weights (Scheuerer and Hamill 2015, doi:10.1175/MWR-D-14-00269.1, eq. 9):

        (|y_a - y_b|**0.5 - 1/M sum_i |x_ia - x_ib|**0.5)**2

    The fair one takes off what the sampled mean adds, its members' variance over M; with one member
    it is the standard one.
    """
    count = len(members)
    counted: np.ndarray = np.any(weights > 0.0, axis=0)
    standard, fair = np.zeros(len(weights)), np.zeros(len(weights))
    for lag in lags:
        for axis in (0, 1):
            first, second = _shifted(axis, lag)
            product = weights[:, *first] * weights[:, *second]
            if product.shape[1] == 0 or product.shape[2] == 0:
                continue
            both = counted[first] & counted[second]
            total, squares = np.zeros(both.shape), np.zeros(both.shape)
            for member in members:
                difference = np.abs(np.where(both, member[first] - member[second], 0.0))
                squares += difference
                total += np.sqrt(difference, dtype=np.float64)
            observed = np.sqrt(np.abs(np.where(both, truth[first] - truth[second], 0.0)))
            score = (observed - total / count) ** 2
            standard += np.tensordot(product, score, 2)
            if count > 1:
                variance = np.maximum(squares - total**2 / count, 0.0) / (count - 1)
                score = score - variance / count
            fair += np.tensordot(product, score, 2)
    return standard, fair


def variogram_weight(weights: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """The summed weight of all pairs that `variogram_sums` adds up, (region,)."""
    total = np.zeros(len(weights))
    for lag in lags:
        for axis in (0, 1):
            first, second = _shifted(axis, lag)
            total += (weights[:, *first] * weights[:, *second]).sum(axis=(1, 2))
    return total


def _shifted(axis: int, lag: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The two ends of all pairs `lag` points apart along an axis of (y, x)."""
    whole, head, tail = slice(None), slice(None, -lag), slice(lag, None)
    return ((head, whole), (tail, whole)) if axis == 0 else ((whole, head), (whole, tail))


def _sums(fields: Fields) -> Arrays:
    if fields.members is None:
        return {}
    lags = fields.scores.variogram_lags
    standard, fair = variogram_sums(fields.members, fields.truth, fields.weights, lags)
    return {
        "variogram_standard_sum": standard,
        "variogram_fair_sum": fair,
        "variogram_weight_sum": variogram_weight(fields.weights, lags),
    }


SCORE = Score(
    sums={
        "variogram_weight_sum": Sum("weight of the pairs of points of the variogram score"),
        "variogram_standard_sum": Sum("weighted sum of the variogram score of order 1/2"),
        "variogram_fair_sum": Sum("weighted sum of the fair variogram score of order 1/2"),
    },
    fields=_sums,
    metrics={"variogram_fair": Metric(best="low"), "variogram_standard": Metric(best="low")},
    cases=lambda cases: cases.standard_and_fair("variogram"),
)
