"""Scores at each point, all from one sort of the members."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from stormdraw.scores.crps import gaussian_crps, gaussian_crps_above, sorted_errors
from stormdraw.scores.kernels import chained_crps, point_scores, sum_parts

# Members x points in a block, which stays in a core's own cache from the sort to the last sum.
_BLOCK_VALUES = 2**16


@dataclass(frozen=True)
class PointScores:
    """Scores of one variable at one lead; each array is (point,).

    `valid` tells where the truth and every member are finite; elsewhere the other values are 0 or
    mean nothing. `members` is 0 for a distribution known only by its mean and spread, which has NaN
    for the scores of an ensemble, and no member `below` or `equal` to the truth.

    `threshold_weighted` is (threshold, 2, point), standard and fair;
    `threshold_weighted_gaussian` (threshold, point) is that of the mean and spread. `parts` is
    (region, 2, member): weighted sums over points of each order statistic's negative and positive
    part of the error.
    """

    members: int
    valid: np.ndarray
    error: np.ndarray
    variance: np.ndarray
    crps_standard: np.ndarray
    crps_fair: np.ndarray
    crps_gaussian: np.ndarray
    below: np.ndarray
    equal: np.ndarray
    threshold_weighted: np.ndarray
    threshold_weighted_gaussian: np.ndarray
    parts: np.ndarray


def score_members(
    members: np.ndarray,
    truth: np.ndarray,
    *,
    points: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    thresholds: Sequence[float] = (),
    threads: int = 1,
    block_values: int = _BLOCK_VALUES,
) -> PointScores:
    """Scores of an ensemble (member, point) against the truth (point,).

    `error` is that of the ensemble's mean; `variance` divides by M - 1, and is 0 for one member.
    Only `points` (point,) count, all if it is None. `weights` (region, point) weight `parts`, and
    `thresholds` are those of the threshold-weighted CRPS. Only `block_values` members x points are
    worked on at once by each of the threads, which changes no digit of what is (point,); `parts`
    are summed block by block in the order of points.
    """
    count, size = members.shape
    valid = np.ones(size, bool) if points is None else points.copy()
    weights = np.zeros((0, size)) if weights is None else weights
    # error, variance, crps_standard, crps_fair
    scores = np.empty((4, size))
    counts = np.empty((2, size), np.int32)
    chained = np.empty((len(thresholds), 2, size))
    step = max(1, block_values // count)

    def score_block(start: int) -> np.ndarray:
        block = slice(start, start + step)
        errors = sorted_errors(members[:, block], truth[block])
        point_scores(errors, valid[block], scores[:, block], counts[:, block])
        for threshold, of_threshold in zip(thresholds, chained, strict=True):
            lower = threshold - truth[block].astype(np.float64)
            chained_crps(errors, valid[block], lower, of_threshold[:, block])
        parts = np.zeros((len(weights), 2, count))
        sum_parts(errors, valid[block], weights[:, block], parts)
        return parts

    total = np.zeros((len(weights), 2, count))
    with ThreadPoolExecutor(threads) as pool:
        for parts in pool.map(score_block, range(0, size, step)):
            total += parts
    error, variance, standard, fair = scores
    spread = np.sqrt(variance)
    return PointScores(
        members=count,
        valid=valid,
        error=error,
        variance=variance,
        crps_standard=standard,
        crps_fair=fair,
        crps_gaussian=gaussian_crps(error, spread),
        below=counts[0],
        equal=counts[1],
        threshold_weighted=chained,
        threshold_weighted_gaussian=_gaussian_above(error, spread, truth, valid, thresholds),
        parts=total,
    )


def _gaussian_above(
    error: np.ndarray,
    spread: np.ndarray,
    truth: np.ndarray,
    valid: np.ndarray,
    thresholds: Sequence[float],
) -> np.ndarray:
    """The threshold-weighted CRPS of Gaussian distributions, (threshold, point)."""
    above = np.zeros((len(thresholds), valid.size))
    observed = np.where(valid, truth, 0.0).astype(np.float64)
    for of_threshold, threshold in zip(above, thresholds, strict=True):
        scores = gaussian_crps_above(error, spread, threshold - observed)
        of_threshold[:] = np.where(valid, scores, 0.0)
    return above


def score_gaussian(
    mean: np.ndarray,
    spread: np.ndarray,
    truth: np.ndarray,
    points: np.ndarray | None = None,
    thresholds: Sequence[float] = (),
) -> PointScores:
    """Scores of Gaussian distributions given by mean and spread, each (point,).

    A negative spread counts as missing. Only `points` count, all if it is None; `thresholds` are
    those of the threshold-weighted CRPS.
    """
    valid = np.isfinite(mean) & np.isfinite(spread) & np.isfinite(truth)
    valid &= np.greater_equal(spread, 0.0, out=np.zeros(valid.shape, bool), where=valid)
    if points is not None:
        valid &= points
    error = np.where(valid, mean, 0.0) - np.where(valid, truth, 0.0).astype(np.float64)
    spread = np.where(valid, spread, 0.0).astype(np.float64)
    unknown = np.full(valid.shape, np.nan)
    none = np.zeros(valid.shape, np.int32)
    return PointScores(
        members=0,
        valid=valid,
        error=error,
        variance=spread**2,
        crps_standard=unknown,
        crps_fair=unknown,
        crps_gaussian=gaussian_crps(error, spread),
        below=none,
        equal=none,
        threshold_weighted=np.zeros((0, 2, valid.size)),
        threshold_weighted_gaussian=_gaussian_above(error, spread, truth, valid, thresholds),
        parts=np.zeros((0, 2, 0)),
    )
