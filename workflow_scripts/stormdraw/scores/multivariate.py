"""Scores of several values at once: of the wind as a vector, of a field's differences."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stormdraw.scores.kernels import distances

_POINTS = 2048


def energy_score(
    u: np.ndarray, v: np.ndarray, true_u: np.ndarray, true_v: np.ndarray, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Standard and fair energy score of wind vectors (member, point) at each point.

    With the Euclidean norm (Gneiting et al. 2008, doi:10.1007/s11749-008-0114-x, eq. 7); the CRPS
    in two dimensions:

        standard = 1/M sum_i |X_i - y| - 1/(2 M^2)     sum_ij |X_i - X_j|
        fair     = 1/M sum_i |X_i - y| - 1/(2 M (M-1)) sum_ij |X_i - X_j|

    Both are the distance when M is 1; NaN where a value is.
    """
    count, size = u.shape
    distance, pairs = np.empty(size), np.empty(size)

    def score_block(start: int) -> None:
        block = slice(start, start + _POINTS)
        # A point's members side by side, so that the loop over pairs is one of vectors.
        own_u, own_v = np.ascontiguousarray(u[:, block].T), np.ascontiguousarray(v[:, block].T)
        distances(own_u, own_v, true_u[block], true_v[block], distance[block], pairs[block])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(score_block, range(0, size, _POINTS)))
    # Each pair was counted once.
    return distance - pairs / count**2, distance - pairs / (count * max(count - 1, 1))


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
