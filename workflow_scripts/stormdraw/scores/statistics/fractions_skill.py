"""The fractions skill score: is there about as much of the event near each point?"""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.kernels import compiled, in_threads
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.verification import Event

# Rows that a thread takes at once.
_ROWS = 16


@compiled
def _fill(field, table):  # type: ignore[no-untyped-def]
    """The table of `summed_area`, whose first row and column are 0 already."""
    for y in range(field.shape[0]):
        of_row = 0.0
        for x in range(field.shape[1]):
            of_row += field[y, x]
            table[y + 1, x + 1] = table[y, x + 1] + of_row


def summed_area(field: np.ndarray) -> np.ndarray:
    """Sums over all points south-west of each corner, (y + 1, x + 1), of a field (y, x)."""
    table = np.zeros((field.shape[0] + 1, field.shape[1] + 1))
    _fill(field, table)
    return table


@compiled
def _add_boxes(counted, forecast, observed, weights, halves, first, sums):  # type: ignore[no-untyped-def]
    """Sums (row, 2, region, neighbourhood) of the rows from the `first`, see `fss_sums`."""
    rows, columns = counted.shape[0] - 1, counted.shape[1] - 1
    for place in range(sums.shape[0]):
        y = first + place
        for index in range(halves.shape[0]):
            half = halves[index]
            low, high = max(y - half, 0), min(y + half + 1, rows)
            for x in range(columns):
                # At the edge of the domain the box is cut off: what lies outside adds nothing.
                left, right = max(x - half, 0), min(x + half + 1, columns)
                points = counted[high, right] - counted[low, right]
                points = max(points - (counted[high, left] - counted[low, left]), 1.0)
                f = forecast[high, right] - forecast[low, right]
                f = (f - (forecast[high, left] - forecast[low, left])) / points
                o = observed[high, right] - observed[low, right]
                o = (o - (observed[high, left] - observed[low, left])) / points
                for region in range(weights.shape[0]):
                    weight = weights[region, y, x]
                    sums[place, 0, region, index] += weight * (f - o) * (f - o)
                    sums[place, 1, region, index] += weight * (f * f + o * o)


def fss_sums(
    probability: np.ndarray,
    event: np.ndarray,
    valid: np.ndarray,
    weights: np.ndarray,
    widths: Sequence[int],
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of (f - o)**2 and of f**2 + o**2 over points, (region, neighbourhood).

    `probability` (y, x) of the event in the forecast, 0 or 1 for a single one; `event` (y, x)
    whether it was; f and o are their means over the points of the box that are `valid` (y, x): the
    edge of the domain and missing points are left out of the box rather than taken as no event.
    `weights` (region, y, x) weight the point in the middle; 0 where it does not count.

    For an ensemble, f is the mean of its members' fractions, the neighbourhood ensemble probability
    (Schwartz et al. 2010, doi:10.1175/2009WAF2222267.1).
    """
    tables = [summed_area(np.where(valid, field, 0.0)) for field in (valid, probability, event)]
    halves = np.array(widths, np.int64) // 2
    sums = np.zeros((len(valid), 2, len(weights), len(widths)))
    in_threads(
        lambda rows: _add_boxes(*tables, weights, halves, rows.start, sums[rows]),
        len(valid),
        _ROWS,
        threads,
    )
    difference, reference = sums.sum(axis=0)
    return difference, reference


def fractions_skill_score(difference: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """1 - sum (f - o)**2 / sum (f**2 + o**2) over cases (Roberts and Lean 2008, eq. 6).

    doi:10.1175/2007MWR2123.1. A ratio of sums, not a mean of ratios: cases without an event weigh
    nothing, instead of being undefined.
    """
    return 1.0 - ratio(difference, reference)


def _sums(event: Event) -> Arrays:
    fields = event.fields
    difference, reference = fss_sums(
        event.probability,
        event.observed,
        fields.valid,
        fields.weights,
        fields.scores.neighbourhoods,
        fields.threads,
    )
    return {"fss_difference_sum": difference, "fss_reference_sum": reference}


def fractions_skill(cases: Cases, before: str) -> Arrays:
    """The score (resample, lead, threshold, width); `before` stands before all names."""
    if not cases.thresholds:
        return {}
    scores = fractions_skill_score(
        cases[f"{before}fss_difference_sum"], cases[f"{before}fss_reference_sum"]
    )
    return {f"{before}fss": scores[:, :, : len(cases.thresholds)]}


FSS_DIMS = ("region", "threshold", "neighbourhood")

SCORE = Score(
    sums={
        "fss_difference_sum": Sum(
            "weighted sum of (f - o)**2 of the fractions in a neighbourhood", FSS_DIMS
        ),
        "fss_reference_sum": Sum("weighted sum of f**2 + o**2", FSS_DIMS),
    },
    event=_sums,
    metrics={
        "fss": Metric(
            "FSS {threshold}, {width} points wide",
            "high",
            "ratio",
            offered=True,
            dims=("threshold", "width"),
        )
    },
    cases=lambda cases: fractions_skill(cases, ""),
    place=5,
)
