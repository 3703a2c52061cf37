"""The probability-matched mean: where the mean has it, as strong as members make it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.statistics.event_probabilities import merged_probabilities
from stormdraw.scores.statistics.fractions_skill import FSS_DIMS, fractions_skill, fss_sums
from stormdraw.scores.sums import Cases, Sums, ratio
from stormdraw.scores.verification import Event, Fields, ensemble_mean

# Parts that each thread sorts.
_PARTS = 2

Matched = Callable[[Fields], np.ndarray]


@compiled
def select(values, starts, ends, places, selected):  # type: ignore[no-untyped-def]
    """The values at some `places` of several parts of `values` merged in ascending order.

    Each part is in ascending order, and goes from `starts` (part,) to before `ends` (part,). Places
    ascend, and `selected` has one value for each.
    """
    parts = starts.size
    taken = starts.copy()
    passed = 0
    for index in range(places.size):
        remaining = places[index] - passed
        passed = places[index]
        while remaining > 0:
            # The part whose value so many steps ahead is lowest: at most `remaining` values of all
            # parts are lower than that, so these may be passed.
            step = max(remaining // parts, 1)
            chosen, lowest = -1, np.inf
            for part in range(parts):
                ahead = taken[part] + step - 1
                if ahead < ends[part] and values[ahead] < lowest:
                    chosen, lowest = part, values[ahead]
            taken[chosen] += step
            remaining -= step
        lowest = np.inf
        for part in range(parts):
            if taken[part] < ends[part]:
                lowest = min(lowest, values[taken[part]])
        selected[index] = lowest


def probability_matched_mean(
    members: np.ndarray,
    valid: np.ndarray | None = None,
    threads: int = 1,
    mean: np.ndarray | None = None,
) -> np.ndarray:
    """The ensemble's mean with the members' distribution of values, (point,), of (member, point).

    All members' values together are sorted, every M-th is kept, and the kept ones are put in place
    in the order of the mean (Ebert 2001, doi:10.1175/1520-0493(2001)129<2461:AOAPMS>2.0.CO;2). The
    middle one of each M is kept. Points of equal mean are filled in the order of points. Only
    `valid` points (point,) take part, and others are 0; all do if it is None. Beside the members
    one copy of them is held. The `mean` (point,) is made of the members if it is None.
    """
    count, size = members.shape
    mean = ensemble_mean(members, threads) if mean is None else mean
    places = np.arange(size) if valid is None else np.flatnonzero(valid)
    pooled = np.take(members, places, axis=1).ravel()
    # The order of the mean takes as long as a part or two: threads end at about the same time.
    starts = np.linspace(0, pooled.size, 1 + _PARTS * threads).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        ordered = pool.submit(np.argsort, mean[places], kind="stable")
        list(pool.map(lambda start, stop: pooled[start:stop].sort(), starts[:-1], starts[1:]))
    kept = np.empty(len(places), members.dtype)
    middles = count // 2 + count * np.arange(len(places))
    select(pooled, starts[:-1], starts[1:], middles, kept)
    matched = np.zeros(size, members.dtype)
    matched[places[ordered.result()]] = kept
    return matched


def _matched(fields: Fields) -> np.ndarray:
    """That of members on the grid, (y, x)."""
    members: np.ndarray = fields.members  # type: ignore[assignment]
    flat, valid, mean = members.reshape(len(members), -1), fields.valid.ravel(), fields.mean.ravel()
    return probability_matched_mean(flat, valid, fields.threads, mean).reshape(fields.valid.shape)


def _sums(before: str, matched: Matched, fields: Fields) -> Arrays:
    if fields.members is None:
        return {}
    observed = np.where(fields.valid, fields.truth, 0.0).astype(np.float64)
    return {f"{before}_squared_error_sum": fields.sum((fields.shared(matched) - observed) ** 2)}


def _sums_of_event(before: str, matched: Matched, event: Event) -> Arrays:
    """The tables of a yes or no."""
    fields = event.fields
    if fields.members is None:
        return {}
    warned = event.limit.reached(fields.shared(matched)) & fields.valid
    difference, reference = fss_sums(
        warned,
        event.observed,
        fields.valid,
        fields.weights,
        fields.scores.neighbourhoods,
        fields.threads,
    )
    return {
        f"{before}_fss_difference_sum": difference,
        f"{before}_fss_reference_sum": reference,
        f"{before}_forecast_sum": fields.sum(warned),
        f"{before}_hit_sum": fields.sum(warned & event.observed),
    }


def _metrics(before: str, cases: Cases) -> Arrays:
    if not cases.thresholds or f"{before}_hit_sum" not in cases:
        return {}
    scores = {f"{before}_rmse": np.sqrt(cases.mean(f"{before}_squared_error_sum"))}
    return scores | fractions_skill(cases, f"{before}_")


def _warnings(before: str, by_size: Mapping[int, Sums]) -> Arrays:
    """Critical success index and frequency bias, (resample, threshold)."""
    having = [sums for sums in by_size.values() if f"{before}_hit_sum" in sums]
    count = len(having[0].thresholds) if having else 0
    if not count:
        return {}
    events = np.stack(
        [merged_probabilities(by_size, index)[2].sum(-1) for index in range(count)], axis=-1
    )
    warned, hits = (
        np.sum([sums[f"{before}_{of}_sum"][:, :count] for sums in having], axis=0)
        for of in ("forecast", "hit")
    )
    return {
        f"{before}_csi": ratio(hits, warned + events - hits),
        f"{before}_frequency_bias": ratio(warned, events),
    }


def score_of(before: str, mean: str, matched: Matched) -> Score:
    """The scores of a field that members are made into; `before` stands before all names.

    `matched` makes the field (y, x), which `mean` names in words.
    """
    dims = ("region", "threshold")
    return Score(
        sums={
            f"{before}_squared_error_sum": Sum(f"weighted sum of {mean}'s squared error"),
            f"{before}_fss_difference_sum": Sum(f"as fss_difference_sum, of {mean}", FSS_DIMS),
            f"{before}_fss_reference_sum": Sum(f"as fss_reference_sum, of {mean}", FSS_DIMS),
            f"{before}_forecast_sum": Sum(f"weight of points where {mean} has the event", dims),
            f"{before}_hit_sum": Sum("weight of those where the truth has it too", dims),
        },
        fields=partial(_sums, before, matched),
        event=partial(_sums_of_event, before, matched),
        copies=1,
        metrics={
            f"{before}_rmse": Metric(best="low"),
            f"{before}_fss": Metric(best="high", dims=("threshold", "width")),
            f"{before}_csi": Metric(best="high", dims=("threshold",)),
            f"{before}_frequency_bias": Metric(best="one", dims=("threshold",)),
        },
        cases=partial(_metrics, before),
        sizes=partial(_warnings, before),
    )


SCORE = score_of("pmm", "the probability-matched mean", _matched)
