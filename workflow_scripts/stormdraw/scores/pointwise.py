"""Scores at each point, all from one sort of the members."""

from dataclasses import dataclass

import numpy as np

from stormdraw.scores.crps import ensemble_crps, gaussian_crps, sorted_errors
from stormdraw.scores.ranks import count_below_and_equal

# Members x points in a block: the block and its float64 copy fit a core's own cache.
_BLOCK_VALUES = 2**16


@dataclass(frozen=True)
class PointScores:
    """Scores of one variable at one lead; each array is (point,).

    `valid` tells where the truth and every member are finite; elsewhere the other values mean
    nothing. `members` is 0 for a distribution known only by its mean and spread, which has NaN for
    the scores of an ensemble, and no member `below` or `equal` to the truth.
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


def score_members(
    members: np.ndarray, truth: np.ndarray, block_values: int = _BLOCK_VALUES
) -> PointScores:
    """Scores of an ensemble (member, point) against the truth (point,).

    `error` is that of the ensemble's mean; `variance` divides by M - 1, and is 0 for one member.
    Only `block_values` members x points are worked on at once, which changes no digit.
    """
    count, points = members.shape
    valid = np.zeros(points, bool)
    # error, variance, crps_standard, crps_fair
    scores = np.zeros((4, points))
    counts = np.zeros((2, points), np.int64)
    step = max(1, block_values // count)
    for start in range(0, points, step):
        block = slice(start, start + step)
        errors = sorted_errors(members[:, block], truth[block])
        # Sorted, so that -inf comes first, inf and NaN last.
        valid[block] = np.isfinite(errors[:, 0]) & np.isfinite(errors[:, -1])
        errors[~valid[block]] = 0.0
        counts[:, block] = count_below_and_equal(errors)
        errors = errors.astype(np.float64)
        scores[2:, block] = ensemble_crps(errors)
        scores[:2, block] = _mean_and_variance(errors)
    error, variance, standard, fair = scores
    return PointScores(
        members=count,
        valid=valid,
        error=error,
        variance=variance,
        crps_standard=standard,
        crps_fair=fair,
        crps_gaussian=gaussian_crps(error, np.sqrt(variance)),
        below=counts[0],
        equal=counts[1],
    )


def score_gaussian(mean: np.ndarray, spread: np.ndarray, truth: np.ndarray) -> PointScores:
    """Scores of Gaussian distributions given by mean and spread, each (point,).

    A negative spread counts as missing.
    """
    valid = np.isfinite(mean) & np.isfinite(spread) & np.isfinite(truth)
    valid &= np.greater_equal(spread, 0.0, out=np.zeros(valid.shape, bool), where=valid)
    error = np.where(valid, mean, 0.0) - np.where(valid, truth, 0.0).astype(np.float64)
    spread = np.where(valid, spread, 0.0).astype(np.float64)
    unknown = np.full(valid.shape, np.nan)
    none = np.zeros(valid.shape, np.int64)
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
    )


def _mean_and_variance(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over members; overwrites the errors (point, member)."""
    count = errors.shape[1]
    mean = errors.sum(axis=1) / count
    # Two passes: a mean that is large beside the spread would eat the variance's digits.
    errors -= mean[:, None]
    return mean, np.vecdot(errors, errors) / max(count - 1, 1)
