"""Compiled loops: what NumPy would need ten passes over memory for.

Numba keeps the machine code in NUMBA_CACHE_DIR, which the workflow sets to a folder of its own, so
that only the first job of a run compiles. All loops release the GIL: blocks of points run in
threads.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """The loop in machine code, from its first call on.

    Not earlier, since whoever only asks which scores there are need not wait for Numba.
    """

    @functools.cache
    def machine_code() -> Callable[..., None]:
        import numba

        # Sums may be reassociated, which lets them use vector instructions; NaN and inf keep their
        # meaning.
        return numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})(loop)

    @functools.wraps(loop)
    def call(*arrays: Any) -> None:
        machine_code()(*arrays)

    return call


def in_threads(work: Callable[[slice], None], size: int, together: int, threads: int) -> None:
    """`work` on each slice of so many of `size` things, several at once.

    The slices do not depend on the number of threads, so that no digit does.
    """
    slices = [slice(first, min(first + together, size)) for first in range(0, size, together)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, slices))


@compiled
def count_reaching(members, threshold, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` (point,) how many `members` (member, point) are at least the threshold."""
    for member in range(members.shape[0]):
        for point in range(members.shape[1]):
            counts[point] += members[member, point] >= threshold


@compiled
def point_scores(errors, valid, scores, counts):  # type: ignore[no-untyped-def]
    """Mean, variance, standard and fair CRPS, members below and equal, of sorted errors.

    `errors` is (point, member); `valid` (point,) is narrowed to points where all are finite;
    `scores` is (4, point) and `counts` (2, point), 0 where not valid. Each point's sums are formed
    in the order of its sorted members, so that neither blocks nor threads change a digit.

    For M members x_i and the truth y:

        standard = 1/M sum_i |x_i - y| - 1/(2 M^2)     sum_ij |x_i - x_j|
        fair     = 1/M sum_i |x_i - y| - 1/(2 M (M-1)) sum_ij |x_i - x_j|

    The standard one scores the ensemble as a distribution of M steps (properscoring, xskillscore);
    the fair one is what infinitely many members of the same distribution would score on average
    (Ferro 2014, doi:10.1002/qj.2270, eq. 8). Both are the absolute error when M is 1. In ascending
    order, sum_ij |x_i - x_j| = 2 sum_k (2k - M + 1) x_k with k = 0 .. M-1, so no pairs are formed.
    """
    points, count = errors.shape
    for point in range(points):
        row = errors[point]
        # Sorted, so that -inf comes first, inf and NaN last.
        if not (valid[point] and np.isfinite(row[0]) and np.isfinite(row[count - 1])):
            valid[point] = False
            scores[:, point] = 0.0
            counts[:, point] = 0
            continue
        # Seen from the median: a mean that is large beside the spread would eat the variance's
        # digits, and equal members have no variance at all.
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
