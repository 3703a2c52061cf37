"""Compiled loops for work that takes NumPy ten passes over memory.

Numba caches the machine code in NUMBA_CACHE_DIR, a folder that the workflow sets, so that only the
first job of a run compiles. All loops release the GIL, so that threads can share the points.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """Compile the loop at its first call.

    Importing Numba is slow, and listing the scores does not need it.
    """

    @functools.cache
    def machine_code() -> Callable[..., None]:
        import numba

        # Reassociating sums allows vector instructions. NaN and inf keep their meaning.
        return numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})(loop)

    @functools.wraps(loop)
    def call(*arrays: Any) -> None:
        machine_code()(*arrays)

    return call


def in_threads(work: Callable[[slice], None], size: int, together: int, threads: int) -> None:
    """Call `work` in threads on slices of length `together` that cover `size` items.

    The slices do not depend on the number of threads, so neither do the results.
    """
    slices = [slice(first, min(first + together, size)) for first in range(0, size, together)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, slices))


@compiled
def count_reaching(members, sign, lower, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` (point,) the number of `members` (member, point) that reach the limit.

    A member x reaches it if `sign` * x is at least `lower` (point,). `sign` is 1 or -1.
    """
    for member in range(members.shape[0]):
        for point in range(members.shape[1]):
            counts[point] += sign * members[member, point] >= lower[point]


@compiled
def point_scores(errors, valid, scores, counts):  # type: ignore[no-untyped-def]
    """Compute scores of sorted errors, and the number of members below and equal to the truth.

    `errors` is (point, member). `valid` (point,) is restricted to points where all are finite.
    `scores` (4, point) receives mean, variance, standard and fair CRPS; `counts` (2, point) the
    members below and equal; both are 0 where not valid. The sums of a point are formed in the order
    of its sorted members, so batches and threads do not change the result.

    For M members x_i and the truth y:

        standard = 1/M sum_i |x_i - y| - 1/(2 M^2)     sum_ij |x_i - x_j|
        fair     = 1/M sum_i |x_i - y| - 1/(2 M (M-1)) sum_ij |x_i - x_j|

    The standard CRPS treats the ensemble as a step function (properscoring, xskillscore). The fair
    CRPS is what infinitely many members of the same distribution would score on average (Ferro
    2014, doi:10.1002/qj.2270, eq. 8). Both are the absolute error if M = 1. In ascending order,
    sum_ij |x_i - x_j| = 2 sum_k (2k - M + 1) x_k with k = 0 .. M-1, so no pairs are formed.
    """
    points, count = errors.shape
    for point in range(points):
        row = errors[point]
        # The errors are sorted: -inf comes first, inf and NaN come last.
        if not (valid[point] and np.isfinite(row[0]) and np.isfinite(row[count - 1])):
            valid[point] = False
            scores[:, point] = 0.0
            counts[:, point] = 0
            continue
        # Deviations from the median avoid cancellation if the mean is large compared to the
        # spread, and give equal members a variance of exactly 0.
        median = np.float64(row[count // 2])
        total = squares = distance = half_pairs = 0.0
        below = equal = 0
        for k in range(count):
            error = np.float64(row[k])
            deviation = error - median
            total += deviation
            squares += deviation * deviation
            distance += abs(error)
            half_pairs += (2 * k - count + 1) * deviation
            below += error < 0.0
            equal += error == 0.0
        distance /= count
        scores[0, point] = median + total / count
        scores[1, point] = max(0.0, squares - total * total / count) / max(count - 1, 1)
        scores[2, point] = distance - half_pairs / (count * count)
        scores[3, point] = distance - half_pairs / (count * max(count - 1, 1))
        counts[0, point] = below
        counts[1, point] = equal
