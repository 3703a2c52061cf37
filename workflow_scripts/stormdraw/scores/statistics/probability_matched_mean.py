"""The probability-matched mean: where the mean has it, as strong as members make it."""

from collections.abc import Mapping

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.statistics.event_probabilities import merged_probabilities
from stormdraw.scores.statistics.fractions_skill import FSS_DIMS, fractions_skill, fss_sums
from stormdraw.scores.sums import Cases, Sums, ratio
from stormdraw.scores.verification import Event, Fields


def probability_matched_mean(members: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """The ensemble's mean with the members' distribution of values, (point,), of (member, point).

    All members' values together are sorted, every M-th is kept, and the kept ones are put in place
    in the order of the mean (Ebert 2001, doi:10.1175/1520-0493(2001)129<2461:AOAPMS>2.0.CO;2). The
    middle one of each M is kept. Points of equal mean are filled in the order of points. Only
    `valid` points (point,) take part, and others are 0; all do if it is None. Beside the members
    one copy of them is held.
    """
    count, size = members.shape
    places = np.arange(size) if valid is None else np.flatnonzero(valid)
    pooled = np.take(members, places, axis=1)
    order = np.argsort(pooled.sum(axis=0, dtype=np.float64) / count, kind="stable")
    pooled = pooled.ravel()
    pooled.sort()
    matched = np.zeros(size, members.dtype)
    matched[places[order]] = pooled[count // 2 :: count]
    return matched


def _matched(fields: Fields) -> np.ndarray:
    """That of members on the grid, (y, x)."""
    members: np.ndarray = fields.members  # type: ignore[assignment]
    flat = members.reshape(len(members), -1)
    return probability_matched_mean(flat, fields.valid.ravel()).reshape(fields.valid.shape)


def _sums(fields: Fields) -> Arrays:
    if fields.members is None:
        return {}
    observed = np.where(fields.valid, fields.truth, 0.0).astype(np.float64)
    return {"pmm_squared_error_sum": fields.sum((fields.shared(_matched) - observed) ** 2)}


def _sums_of_event(event: Event) -> Arrays:
    """The tables of a yes or no."""
    fields = event.fields
    if fields.members is None:
        return {}
    warned = (fields.shared(_matched) >= event.threshold) & fields.valid
    difference, reference = fss_sums(
        warned, event.observed, fields.valid, fields.weights, fields.scores.neighbourhoods
    )
    return {
        "pmm_fss_difference_sum": difference,
        "pmm_fss_reference_sum": reference,
        "pmm_forecast_sum": fields.sum(warned),
        "pmm_hit_sum": fields.sum(warned & event.observed),
    }


def _metrics(cases: Cases) -> Arrays:
    if not cases.thresholds or "pmm_hit_sum" not in cases:
        return {}
    scores = {"pmm_rmse": np.sqrt(cases.mean("pmm_squared_error_sum"))}
    return scores | fractions_skill(cases, "pmm_")


def _warnings(by_size: Mapping[int, Sums]) -> Arrays:
    """Critical success index and frequency bias, (resample, threshold)."""
    having = [sums for sums in by_size.values() if "pmm_hit_sum" in sums]
    count = len(having[0].thresholds) if having else 0
    if not count:
        return {}
    events = np.stack(
        [merged_probabilities(by_size, index)[2].sum(-1) for index in range(count)], axis=-1
    )
    warned, hits = (
        np.sum([sums[f"pmm_{of}_sum"][:, :count] for sums in having], axis=0)
        for of in ("forecast", "hit")
    )
    return {
        "pmm_csi": ratio(hits, warned + events - hits),
        "pmm_frequency_bias": ratio(warned, events),
    }


_DIMS = ("region", "threshold")
_MEAN = "the probability-matched mean"

SCORE = Score(
    sums={
        "pmm_squared_error_sum": Sum(f"weighted sum of {_MEAN}'s squared error"),
        "pmm_fss_difference_sum": Sum(f"as fss_difference_sum, of {_MEAN}", FSS_DIMS),
        "pmm_fss_reference_sum": Sum(f"as fss_reference_sum, of {_MEAN}", FSS_DIMS),
        "pmm_forecast_sum": Sum(f"weight of points where {_MEAN} has the event", _DIMS),
        "pmm_hit_sum": Sum("weight of those where the truth has it too", _DIMS),
    },
    fields=_sums,
    event=_sums_of_event,
    copies=1,
    metrics={
        "pmm_rmse": Metric(best="low"),
        "pmm_fss": Metric(best="high", dims=("threshold", "width")),
        "pmm_csi": Metric(best="high", dims=("threshold",)),
        "pmm_frequency_bias": Metric(best="one", dims=("threshold",)),
    },
    cases=_metrics,
    sizes=_warnings,
)
