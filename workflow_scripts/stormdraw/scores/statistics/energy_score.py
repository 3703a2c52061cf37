"""The energy score of the wind as a vector: the CRPS in two dimensions."""

import numpy as np

from stormdraw.scores.kernels import compiled, in_threads
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.verification import Wind

_POINTS = 2048


@compiled
def _distances(u, v, true_u, true_v, distance, pairs):  # type: ignore[no-untyped-def]
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

    def score_block(block: slice) -> None:
        # A point's members side by side, so that the loop over pairs is one of vectors.
        own_u, own_v = np.ascontiguousarray(u[:, block].T), np.ascontiguousarray(v[:, block].T)
        _distances(own_u, own_v, true_u[block], true_v[block], distance[block], pairs[block])

    in_threads(score_block, size, _POINTS, threads)
    # Each pair was counted once.
    return distance - pairs / count**2, distance - pairs / (count * max(count - 1, 1))


def _sums(wind: Wind) -> Arrays:
    """Without members, or where the components have different ones, there is none."""
    u, v = wind.u, wind.v
    if u.members is None or v.members is None or not 0 < len(u.members) == len(v.members):
        return {}
    valid = wind.allowed & u.valid & v.valid & np.isfinite(wind.true_u) & np.isfinite(wind.true_v)
    count = len(u.members)
    standard, fair = energy_score(
        u.members.reshape(count, -1),
        v.members.reshape(count, -1),
        wind.true_u.ravel(),
        wind.true_v.ravel(),
        wind.threads,
    )
    standard, fair = standard[valid.ravel()], fair[valid.ravel()]
    sums = [(own.sum(), own @ standard, own @ fair) for own in (w[valid] for w in wind.weights)]
    names = ("energy_weight_sum", "energy_standard_sum", "energy_fair_sum")
    return dict(zip(names, np.transpose(sums), strict=True))


SCORE = Score(
    sums={
        "energy_weight_sum": Sum("weight of the points of the energy score"),
        "energy_standard_sum": Sum("weighted sum of the energy score of the wind vector"),
        "energy_fair_sum": Sum("weighted sum of the fair energy score of the wind vector"),
    },
    wind=_sums,
    copies=1,
    metrics={"energy_fair": Metric(best="low"), "energy_standard": Metric(best="low")},
    cases=lambda cases: cases.standard_and_fair("energy"),
)
