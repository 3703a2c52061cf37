"""The variogram score of a field's differences from point to point."""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.kernels import compiled, in_threads
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.verification import Fields

# Rows that a thread takes at once.
_ROWS = 16


@compiled
def _add_pairs(members, truth, weights, rows, down, right, sums):  # type: ignore[no-untyped-def]
    """Sums (row, 2, region) over pairs of a point in each of `rows` and one `down` and `right`.

    Of the standard and the fair score. Differences keep the members' precision, roots have double.
    """
    count = members.shape[0]
    columns = members.shape[2] - right
    total, squares = np.empty(columns), np.empty(columns)
    for place in range(rows.shape[0]):
        y = rows[place]
        total[:] = 0.0
        squares[:] = 0.0
        for member in range(count):
            here, there = members[member, y, :columns], members[member, y + down, right:]
            for x in range(columns):
                difference = abs(here[x] - there[x])
                squares[x] += difference
                total[x] += np.sqrt(np.float64(difference))
        for x in range(columns):
            observed = np.sqrt(abs(truth[y, x] - truth[y + down, x + right]))
            mean = total[x] / count
            score = (observed - mean) * (observed - mean)
            variance = (squares[x] - total[x] * mean) / max(count - 1, 1)
            fair = score - variance / count
            for region in range(weights.shape[0]):
                weight = weights[region, y, x] * weights[region, y + down, x + right]
                # Where a point does not count there may be no value.
                if weight > 0.0:
                    sums[place, 0, region] += weight * score
                    sums[place, 1, region] += weight * fair


def variogram_sums(
    members: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray,
    lags: Sequence[int],
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the standard and fair variogram score of order 1/2, (region,).

    `members` are (member, y, x), `truth` (y, x), `weights` (region, y, x), 0 where a point does not
    count. Pairs are points `lags` apart along a row or a column, each with the product of its
    points' weights (Scheuerer and Hamill 2015, doi:10.1175/MWR-D-14-00269.1, eq. 9):

        (|y_a - y_b|**0.5 - 1/M sum_i |x_ia - x_ib|**0.5)**2

    The fair one takes off what the sampled mean adds, its members' variance over M; with one member
    it is the standard one. Rows are summed by themselves and then together, whatever the number of
    threads.
    """
    rows, columns = truth.shape
    sums = np.zeros((rows, 2, len(weights)))
    ways = [(lag, 0) for lag in lags] + [(0, lag) for lag in lags]

    def add(block: slice) -> None:
        for down, right in ways:
            here = np.arange(block.start, min(block.stop, rows - down))
            if right < columns:
                _add_pairs(members, truth, weights, here, down, right, sums[block])

    in_threads(add, rows, _ROWS, threads)
    standard, fair = sums.sum(axis=0)
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
    standard, fair = variogram_sums(
        fields.members, fields.truth, fields.weights, lags, fields.threads
    )
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
