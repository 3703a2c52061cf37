"""Neighbourhood ensemble probability: how likely is the event at a point, told from around it?

The neighbourhood ensemble probability of a point (NEP) is the mean over members of the fraction of
its neighbourhood that has the event. It is a probability of the event at the point itself, so the
Brier score, reliability and ROC set it against the truth there; against the fraction that the truth
has, the fractions Brier score does (Schwartz and Sobash 2017, doi:10.1175/MWR-D-16-0400.1).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.statistics.event_probabilities import roc_area
from stormdraw.scores.statistics.fractions_skill import summed_area
from stormdraw.scores.sums import Cases
from stormdraw.scores.verification import Event

# The lowest probability of each class: 0 alone, then above 0, and most classes have a tenth in the
# middle, as it is of ten members. Rare events need more of them near 0, or their ROC has no points.
LOWEST = np.array([0.0, 1e-9, 0.02, *(np.arange(10) / 10 + 0.05)])

CLASS_DIMS = ("region", "threshold", "neighbourhood", "probability_class")
DIMS = CLASS_DIMS[:3]


@compiled
def _classify(probability, event, weights, lowest, tables, squares):  # type: ignore[no-untyped-def]
    """Add points to their class, and up to the Brier score and the sum of p (1 - p).

    `probability` and `event` are (point,), `weights` (region, point); `tables` (3, region, class)
    are the weight of the points in each class, of those with the event, and times the probability;
    `squares` (2, region).
    """
    regions, points = weights.shape
    for region in range(regions):
        score = dispersion = 0.0
        for point in range(points):
            weight = weights[region, point]
            if weight == 0.0:
                continue
            p, o = probability[point], np.float64(event[point])
            place = 0
            while place + 1 < lowest.size and p >= lowest[place + 1]:
                place += 1
            tables[0, region, place] += weight
            tables[1, region, place] += weight * o
            tables[2, region, place] += weight * p
            score += weight * (p - o) * (p - o)
            dispersion += weight * p * (1.0 - p)
        squares[0, region] = score
        squares[1, region] = dispersion


def class_sums(
    probability: np.ndarray, event: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tables (3, region, class), and sums of the Brier score and of p (1 - p), (2, region).

    `probability` and `event` are (y, x), `weights` (region, y, x). The tables are the weight of the
    points whose probability is in each class of LOWEST, of those of them with the event, and the
    sum of weight times probability.
    """
    regions = len(weights)
    tables, squares = np.zeros((3, regions, LOWEST.size)), np.zeros((2, regions))
    flat = (probability.ravel(), event.ravel(), weights.reshape(regions, -1))
    _classify(*flat, LOWEST, tables, squares)
    return tables, squares


@compiled
def _average(points, members, half, most, probability):  # type: ignore[no-untyped-def]
    """Members over `most` and over points in the box around each point, (y, x).

    Of summed-area tables (y + 1, x + 1).
    """
    rows, columns = probability.shape
    for y in range(rows):
        low, high = max(y - half, 0), min(y + half + 1, rows)
        for x in range(columns):
            left, right = max(x - half, 0), min(x + half + 1, columns)
            size = points[high, right] - points[low, right]
            size -= points[high, left] - points[low, left]
            total = members[high, right] - members[low, right]
            total -= members[high, left] - members[low, left]
            probability[y, x] = total / (most * max(size, 1.0))


def neighbourhood_probabilities(event: Event) -> Callable[[int], np.ndarray]:
    """Gives the mean of the event's probability over the valid points of each box, (y, x).

    It is called with the width of the box, which is cut off at the edge of the domain.
    """
    fields = event.fields
    points = summed_area(fields.valid)
    # Numbers of members add up exactly, so that the same share is the same number.
    by_members = fields.members is not None
    members = summed_area(event.classes if by_members else event.probability)
    most = float(event.steps if by_members else 1)

    def of_width(width: int) -> np.ndarray:
        probability = np.empty(fields.valid.shape)
        _average(points, members, width // 2, most, probability)
        return probability

    return of_width


def _sums(event: Event) -> Arrays:
    fields = event.fields
    probability = neighbourhood_probabilities(event)

    def of_width(width: int) -> tuple[np.ndarray, np.ndarray]:
        return class_sums(probability(width), event.observed, fields.weights)

    with ThreadPoolExecutor(fields.threads) as pool:
        found = list(pool.map(of_width, fields.scores.neighbourhoods))
    return named("nep", found) | {"nep_brier_sum": stacked(squares[0] for _, squares in found)}


def stacked(of_widths: Iterator[np.ndarray]) -> np.ndarray:
    """Those of all widths, (region, neighbourhood, ...)."""
    return np.stack(list(of_widths), axis=1)


def named(before: str, found: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    """The tables of all widths, (region, neighbourhood, class), by name."""
    return {
        f"{before}_{name}_sum": stacked(tables[place] for tables, _ in found)
        for place, name in enumerate(("weight", "event", "probability"))
    }


def table_sums(before: str, event: str) -> dict[str, Sum]:
    """What `named` gives; `event` tells what is set against the forecast."""
    return {
        f"{before}_weight_sum": Sum(
            "weight of the points whose neighbourhood probability is in each class", CLASS_DIMS
        ),
        f"{before}_event_sum": Sum(f"weight of those of them where {event}", CLASS_DIMS),
        f"{before}_probability_sum": Sum(
            "sum of weight times neighbourhood probability", CLASS_DIMS, for_diagrams=True
        ),
    }


def area(cases: Cases, before: str) -> np.ndarray:
    """Area under the ROC of the classes, (resample, lead, threshold, neighbourhood)."""
    return roc_area(cases[f"{before}_weight_sum"], cases[f"{before}_event_sum"])


def of_thresholds(cases: Cases, scores: Arrays) -> Arrays:
    """Without the rows that other variables' thresholds fill."""
    return {name: values[:, :, : len(cases.thresholds)] for name, values in scores.items()}


def _metrics(cases: Cases) -> Arrays:
    if not cases.thresholds:
        return {}
    scores = {
        "nep_brier": cases.mean("nep_brier_sum"),
        "nep_fractions_brier": cases.mean("fss_difference_sum"),
        "nep_roc_area": area(cases, "nep"),
    }
    return of_thresholds(cases, scores)


SCORE = Score(
    sums={
        **table_sums("nep", "the truth has the event"),
        "nep_brier_sum": Sum("weighted sum of the Brier score against the truth there", DIMS),
    },
    event=_sums,
    metrics={
        "nep_brier": Metric(best="low", dims=("threshold", "width")),
        "nep_fractions_brier": Metric(best="low", dims=("threshold", "width")),
        "nep_roc_area": Metric(best="high", dims=("threshold", "width")),
    },
    cases=_metrics,
    lengths={"probability_class": len(LOWEST)},
)
