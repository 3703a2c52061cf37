"""Compiled loops, most over sorted errors: what NumPy would need ten passes over memory for.

Numba keeps the machine code in NUMBA_CACHE_DIR, which the workflow sets to a folder of its own, so
that only the first job of a run compiles. All loops release the GIL: blocks of points run in
threads. Each point's sums are formed in the order of its sorted members, so that neither blocks nor
threads change a digit.
"""

import numba
import numpy as np

# Sums may be reassociated, which lets them use vector instructions; NaN and inf keep their meaning.
_compiled = numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})


@_compiled
def point_scores(errors, valid, scores, counts):  # type: ignore[no-untyped-def]
    """Mean, variance, standard and fair CRPS, members below and equal, of sorted errors.

    `errors` is (point, member); `valid` (point,) is narrowed to points where all are finite;
    `scores` is (4, point) and `counts` (2, point), 0 where not valid. See `stormdraw.scores.crps`
    for the formulas.
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


@_compiled
def chained_crps(errors, valid, lower, scores):  # type: ignore[no-untyped-def]
    """Standard and fair CRPS (2, point) of max(x, t) against max(y, t), from sorted errors x - y.

    `lower` (point,) is t - y. The chaining function keeps the order, so that nothing is sorted
    again.
    """
    points, count = errors.shape
    for point in range(points):
        distance = half_pairs = 0.0
        if valid[point]:
            bound = np.float64(lower[point])
            truth = max(bound, 0.0)
            for k in range(count):
                value = max(np.float64(errors[point, k]), bound) - truth
                distance += abs(value)
                half_pairs += (2 * k - count + 1) * value
            distance /= count
        scores[0, point] = distance - half_pairs / (count * count)
        scores[1, point] = distance - half_pairs / (count * max(count - 1, 1))


@_compiled
def sum_parts(errors, valid, weights, parts):  # type: ignore[no-untyped-def]
    """Add the weighted negative and positive part of each order statistic to `parts`.

    `weights` is (region, point), `parts` (region, 2, member).
    """
    points, count = errors.shape
    for point in range(points):
        if not valid[point]:
            continue
        for region in range(weights.shape[0]):
            weight = weights[region, point]
            if weight == 0.0:
                continue
            for k in range(count):
                error = np.float64(errors[point, k])
                parts[region, 0, k] += weight * min(error, 0.0)
                parts[region, 1, k] += weight * max(error, 0.0)


@_compiled
def distances(u, v, true_u, true_v, distance, pairs):  # type: ignore[no-untyped-def]
    """Mean distance to the truth, and sum of distances over pairs i < j, of vectors at each point.

    `u` and `v` are (point, member), the others (point,).
    """
    points, count = u.shape
    for point in range(points):
        own_u, own_v = u[point], v[point]
        y_u, y_v = true_u[point], true_v[point]
        total = within = 0.0
        for i in range(count):
            x_u, x_v = own_u[i], own_v[i]
            total += np.sqrt((x_u - y_u) * (x_u - y_u) + (x_v - y_v) * (x_v - y_v))
            for j in range(i):
                d_u, d_v = own_u[j] - x_u, own_v[j] - x_v
                within += np.sqrt(d_u * d_u + d_v * d_v)
        distance[point] = total / count
        pairs[point] = within
