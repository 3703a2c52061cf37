"""The fractions skill score: is there about as much of the event near each point?"""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.verification import Event


def summed_area(field: np.ndarray) -> np.ndarray:
    """Sums over all points south-west of each corner, (y + 1, x + 1), of a field (y, x)."""
    table = np.zeros((field.shape[0] + 1, field.shape[1] + 1))
    np.cumsum(field, axis=0, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
    return table


def box_sum(table: np.ndarray, width: int) -> np.ndarray:
    """Sums over the box of `width` points around each point, (y, x), from a summed-area table.

    At the edge of the domain the box is cut off: what lies outside adds nothing.
    """
    half = width // 2
    rows, columns = table.shape[0] - 1, table.shape[1] - 1
    first_row = np.maximum(np.arange(rows) - half, 0)
    last_row = np.minimum(np.arange(rows) + half + 1, rows)
    first_column = np.maximum(np.arange(columns) - half, 0)
    last_column = np.minimum(np.arange(columns) + half + 1, columns)
    of_rows = table[last_row] - table[first_row]
    return of_rows[:, last_column] - of_rows[:, first_column]


def fss_sums(
    probability: np.ndarray,
    event: np.ndarray,
    valid: np.ndarray,
    weights: np.ndarray,
    widths: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of (f - o)**2 and of f**2 + o**2 over points, (region, neighbourhood).

    `probability` (y, x) of the event in the forecast, 0 or 1 for a single one; `event` (y, x)
    whether it was; f and o are their means over the points of the box that are `valid` (y, x): the
    edge of the domain and missing points are left out of the box rather than taken as no event.
    `weights` (region, y, x) weight the point in the middle; 0 where it does not count.

    For an ensemble, f is the mean of its members' fractions, the neighbourhood ensemble probability
    (Schwartz et al. 2010, doi:10.1175/2009WAF2222267.1).
    """
    counted = summed_area(valid)
    forecast = summed_area(np.where(valid, probability, 0.0))
    observed = summed_area(np.where(valid, event, 0.0))
    sums = np.empty((2, len(weights), len(widths)))
    for index, width in enumerate(widths):
        points = np.maximum(box_sum(counted, width), 1.0)
        f, o = box_sum(forecast, width) / points, box_sum(observed, width) / points
        for kind, values in enumerate(((f - o) ** 2, f**2 + o**2)):
            sums[kind, :, index] = np.tensordot(weights, values, 2)
    return sums[0], sums[1]


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
    )
    return {"fss_difference_sum": difference, "fss_reference_sum": reference}


def fractions_skill(cases: Cases, before: str) -> Arrays:
    """The score (resample, lead, threshold, width); `before` stands before all names."""
    if not cases.thresholds or f"{before}fss_difference_sum" not in cases:
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
            "FSS ≥ {threshold}, {width} points wide",
            "high",
            "ratio",
            offered=True,
            dims=("threshold", "width"),
        )
    },
    cases=lambda cases: fractions_skill(cases, ""),
    place=5,
)
