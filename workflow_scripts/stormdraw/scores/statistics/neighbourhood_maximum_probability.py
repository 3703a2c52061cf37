"""Neighbourhood maximum ensemble probability: how likely is the event anywhere near a point?

The neighbourhood maximum ensemble probability of a point (NMEP) is the share of members that have
the event anywhere in its neighbourhood. It is a probability of the event in the neighbourhood, so
its truth is whether the event occurred anywhere there (Schwartz and Sobash 2017,
doi:10.1175/MWR-D-16-0400.1).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.statistics.neighbourhood_probability import (
    DIMS,
    area,
    class_sums,
    named,
    of_thresholds,
    stacked,
    table_sums,
)
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.threshold import Limit
from stormdraw.scores.verification import Event

# Members go through the neighbourhoods together, a bit each.
_WORD, _POINTS = 64, 4096


@compiled
def _pack(members, sign, lower, valid, bits):  # type: ignore[no-untyped-def]
    """Set bit k of `bits` (point,) where sign * member k (member, point) is at least `lower`.

    `sign` is 1 or -1, and `lower` is (point,).
    """
    count, points = members.shape
    # Points of a core's own cache at a time.
    for start in range(0, points, _POINTS):
        stop = min(start + _POINTS, points)
        for member in range(count):
            row, bit = members[member], np.uint64(1) << np.uint64(member)
            for point in range(start, stop):
                if sign * row[point] >= lower[point]:
                    bits[point] |= bit
        for point in range(start, stop):
            if not valid[point]:
                bits[point] = 0


def in_neighbourhoods(bits: np.ndarray, widths: Sequence[int]) -> Iterator[np.ndarray]:
    """The bits that are set anywhere in the box around each point, (y, x), for each of `widths`.

    Widths are odd and ascending. At the edge of the domain the box is cut off.
    """
    reach = 0
    for width in widths:
        while reach < width // 2:
            # A box moved by no more than its own reach, to either side of itself, leaves no gap.
            step = min(max(reach, 1), width // 2 - reach)
            bits = _moved(_moved(bits, step).T, step).T
            reach += step
        yield bits


def _moved(bits: np.ndarray, step: int) -> np.ndarray:
    """The bits of each row with those of the rows so many steps before and after it."""
    joined = bits.copy(order="K")
    joined[step:] |= bits[:-step]
    joined[:-step] |= bits[step:]
    return joined


def members_in_neighbourhoods(
    members: np.ndarray,
    limit: Limit,
    valid: np.ndarray,
    widths: Sequence[int],
    threads: int = 1,
) -> np.ndarray:
    """How many members have the event at any `valid` point of each box, (width, y, x)."""
    flat, sign = members.reshape(len(members), -1), members.dtype.type(limit.sign)
    lower = limit.lower(valid.shape, members.dtype).ravel()

    def of_word(start: int) -> list[np.ndarray]:
        bits = np.zeros(valid.size, np.uint64)
        _pack(flat[start : start + _WORD], sign, lower, valid.ravel(), bits)
        boxes = in_neighbourhoods(bits.reshape(valid.shape), widths)
        return [np.bitwise_count(box) for box in boxes]

    total = np.zeros((len(widths), *valid.shape), np.uint16)
    with ThreadPoolExecutor(threads) as pool:
        for counts in pool.map(of_word, range(0, len(members), _WORD)):
            for of_width, count in zip(total, counts, strict=True):
                of_width += count
    return total


def _sums(event: Event) -> Arrays:
    fields = event.fields
    if fields.members is None:
        return {}
    widths, count = fields.scores.neighbourhoods, fields.member_count
    there = members_in_neighbourhoods(
        fields.members, event.limit, fields.valid, widths, fields.threads
    )
    occurred = list(in_neighbourhoods(event.observed, widths))

    def of_width(place: int) -> tuple[np.ndarray, np.ndarray]:
        return class_sums(there[place] / count, occurred[place], fields.weights)

    with ThreadPoolExecutor(fields.threads) as pool:
        found = list(pool.map(of_width, range(len(widths))))
    return named("nmep", found) | {
        "nmep_brier_sum": stacked(squares[0] for _, squares in found),
        "nmep_brier_fair_sum": stacked(
            squares[0] - squares[1] / max(count - 1, 1) for _, squares in found
        ),
    }


def _metrics(cases: Cases) -> Arrays:
    """The Brier score, standard and fair (Ferro 2008), of more than one member, and the ROC."""
    if not cases.thresholds or not cases.has_members:
        return {}
    scores = {
        "nmep_brier": cases.mean("nmep_brier_sum"),
        "nmep_base_rate": ratio(cases["nmep_event_sum"].sum(-1), cases["nmep_weight_sum"].sum(-1)),
        "nmep_roc_area": area(cases, "nmep"),
    }
    if (cases.members[cases.counted] > 1).all():
        scores["nmep_brier_fair"] = cases.mean("nmep_brier_fair_sum")
    return of_thresholds(cases, scores)


SCORE = Score(
    sums={
        **table_sums("nmep", "the truth has the event in the neighbourhood"),
        "nmep_brier_sum": Sum("weighted sum of the Brier score against that", DIMS),
        "nmep_brier_fair_sum": Sum("the same less p (1 - p) / (M - 1) of M members", DIMS),
    },
    event=_sums,
    metrics={
        "nmep_brier_fair": Metric(best="low", dims=("threshold", "width")),
        "nmep_brier": Metric(best="low", dims=("threshold", "width")),
        "nmep_base_rate": Metric(dims=("threshold", "width")),
        "nmep_roc_area": Metric(best="high", dims=("threshold", "width")),
    },
    cases=_metrics,
)
