"""Forecasts of events: Brier score, reliability, ROC and performance diagrams.

All come from one table of sums: the weight of the points at which k of M members have the event,
and the weight of those at which the truth has it too, each (..., M + 1). A probability
that is no share of members has steps of its own (`verification.probability_classes`).
"""

from collections.abc import Mapping

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Sums, ratio
from stormdraw.scores.verification import Event, probability_classes


def _sums(event: Event) -> Arrays:
    fields, classes, steps = event.fields, event.classes.ravel(), event.steps + 1
    weights = fields.weights.reshape(len(fields.weights), -1)
    observed = event.observed.ravel()
    found = {
        "probability_weight_sum": np.array([np.bincount(classes, w, steps) for w in weights]),
        "probability_event_sum": np.array(
            [np.bincount(classes, w * observed, steps) for w in weights]
        ),
    }
    if fields.members is None:
        # The tables of a Gaussian hold rounded probabilities.
        found["brier_sum"] = fields.sum((event.probability - event.observed) ** 2)
    return found


def brier_sums(
    probability: np.ndarray, everywhere: np.ndarray, with_event: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted sums of the Brier score and of p (1 - p), (...), from tables (..., probability)."""
    squared = everywhere * probability**2 - 2.0 * with_event * probability + with_event
    return squared.sum(-1), (everywhere * probability * (1.0 - probability)).sum(-1)


def brier_decomposition(
    probability: np.ndarray, everywhere: np.ndarray, with_event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reliability, resolution and uncertainty, from tables (..., probability); each (...).

    Brier score = reliability - resolution + uncertainty (Murphy 1973,
    doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2). All probabilities that can be forecast are
    kept apart, so that the sum is exact.
    """
    total = everywhere.sum(-1)
    base_rate = ratio(with_event.sum(-1), total)
    observed = observed_frequency(everywhere, with_event)
    # Where a probability was never forecast it has no weight either.
    observed = np.where(everywhere > 0.0, observed, 0.0)
    reliability = ratio((everywhere * (probability - observed) ** 2).sum(-1), total)
    resolution = ratio((everywhere * (observed - base_rate[..., None]) ** 2).sum(-1), total)
    return reliability, resolution, base_rate * (1.0 - base_rate)


def observed_frequency(everywhere: np.ndarray, with_event: np.ndarray) -> np.ndarray:
    """How often the event occurred for each forecast probability, NaN where never forecast."""
    return ratio(with_event, everywhere)


def reliability_bins(probability: np.ndarray, table: np.ndarray, bins: int = 10) -> np.ndarray:
    """The sums (bins,) of a table (probability,) in bins of equal width; the last one holds 1."""
    bin_of = np.minimum((probability * bins + 1e-9).astype(int), bins - 1)
    return np.bincount(bin_of, table, bins)


def reliability(
    weight: np.ndarray, event: np.ndarray, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean forecast probability and observed frequency of each bin, (bins,), NaN if it is empty.

    From the weight of all points in it, of those with the event, and the sum of weight times
    probability. Each stands at its mean probability: at its middle even a reliable forecast would
    leave the diagonal (Bröcker and Smith 2007, doi:10.1175/WAF993.1).
    """
    return ratio(expected, weight), ratio(event, weight)


def contingency(
    everywhere: np.ndarray, with_event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hits, false alarms, misses, correct negatives for each decision threshold, (..., M + 1).

    At index k the warning is given if at least k members have the event, or the probability is at
    least the k-th.
    """
    without = everywhere - with_event
    hits = np.cumsum(with_event[..., ::-1], -1)[..., ::-1]
    false_alarms = np.cumsum(without[..., ::-1], -1)[..., ::-1]
    misses = with_event.sum(-1, keepdims=True) - hits
    return hits, false_alarms, misses, without.sum(-1, keepdims=True) - false_alarms


def roc(everywhere: np.ndarray, with_event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False alarm rate and hit rate, (..., M + 2): from always warning (1, 1) to never (0, 0)."""
    hits, false_alarms, misses, negatives = contingency(everywhere, with_event)
    hit_rate = ratio(hits, hits + misses)
    false_alarm_rate = ratio(false_alarms, false_alarms + negatives)
    # Never warning: no hit, no false alarm; undefined like the rest where there was no event.
    return _ended(false_alarm_rate), _ended(hit_rate)


def roc_area(everywhere: np.ndarray, with_event: np.ndarray) -> np.ndarray:
    """Area under the ROC's straight segments: 0.5 without skill, 1 for a perfect ranking."""
    false_alarm_rate, hit_rate = roc(everywhere, with_event)
    return -np.trapezoid(hit_rate, false_alarm_rate, axis=-1)


def performance(
    everywhere: np.ndarray, with_event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Success ratio, hit rate, frequency bias and critical success index, (..., M + 1).

    The axes and lines of a performance diagram (Roebber 2009, doi:10.1175/2008WAF2222159.1).
    """
    hits, false_alarms, misses, _ = contingency(everywhere, with_event)
    warned, events = hits + false_alarms, hits + misses
    return (
        ratio(hits, warned),
        ratio(hits, events),
        ratio(warned, events),
        ratio(hits, warned + misses),
    )


def _ended(rates: np.ndarray) -> np.ndarray:
    return np.concatenate([rates, 0.0 * rates[..., :1]], axis=-1)


def merged_probabilities(
    by_size: Mapping[int, Sums], threshold: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (p,), and the weights of all points and of those with the event, (..., p).

    Of the threshold of that index. Three of six members and four of eight are the same forecast.
    """
    steps = {
        # 1 / 3 and 2 / 6 must be the same number.
        size: np.round(np.arange(classes + 1) / classes, 12)
        for size in by_size
        for classes in [probability_classes(size)]
    }
    probability = np.unique(np.concatenate(list(steps.values())))
    tables = []
    for name in ("probability_weight_sum", "probability_event_sum"):
        first = next(iter(by_size.values()))[name]
        merged = np.zeros((len(first), probability.size))
        for size, sums in by_size.items():
            merged[:, np.searchsorted(probability, steps[size])] += sums[name][:, threshold]
        tables.append(merged)
    return probability, tables[0], tables[1]


def _metrics(by_size: Mapping[int, Sums]) -> Arrays:
    """Those of all thresholds, (resample, threshold)."""
    thresholds = next(iter(by_size.values())).thresholds if by_size else []
    rows = [_of_threshold(by_size, index) for index in range(len(thresholds))]
    return {name: np.stack([row[name] for row in rows], axis=-1) for name in (rows or [{}])[0]}


def _of_threshold(by_size: Mapping[int, Sums], threshold: int) -> Arrays:
    """The Brier score, standard and fair, its parts, and the area under the ROC, (resample,).

    The fair score (Ferro 2008, doi:10.1175/2007WAF2006105.1) takes off p (1 - p) / (M - 1), and so
    does not depend on the number of members M; there is none of one member, nor of a distribution
    known by mean and spread.
    """
    probability, everywhere, with_event = merged_probabilities(by_size, threshold)
    weight = everywhere.sum(-1)
    squared, fair = np.zeros((2, *weight.shape))
    for size, sums in by_size.items():
        score, dispersion = brier_sums(*merged_probabilities({size: sums}, threshold))
        squared += score if size else sums["brier_sum"][:, threshold]
        fair += score - dispersion / (size - 1) if size > 1 else np.nan
    parts = brier_decomposition(probability, everywhere, with_event)
    scores = {
        "base_rate": ratio(with_event.sum(-1), weight),
        "brier": ratio(squared, weight),
        "brier_reliability": parts[0],
        "brier_resolution": parts[1],
        "brier_uncertainty": parts[2],
        "roc_area": roc_area(everywhere, with_event),
    }
    if np.isfinite(fair).all():
        scores["brier_fair"] = ratio(fair, weight)
    return scores


_TABLE = ("region", "threshold", "exceeding")

SCORE = Score(
    sums={
        "probability_weight_sum": Sum(
            "weight of the points at which so many members have the event; without members, "
            "of those at which the Gaussian's probability is so many hundredths",
            _TABLE,
        ),
        "probability_event_sum": Sum(
            "weight of those points at which the truth has it too", _TABLE
        ),
        "brier_sum": Sum(
            "weighted sum of the squared error of a Gaussian's exact probability", _TABLE[:2]
        ),
    },
    event=_sums,
    metrics={
        "brier_fair": Metric(
            "Brier score {threshold}",
            "low",
            stand_in="brier",
            offered=True,
            dims=("threshold",),
        ),
        "brier": Metric(best="low", dims=("threshold",)),
        "brier_reliability": Metric(best="low", dims=("threshold",)),
        "brier_resolution": Metric(best="high", dims=("threshold",)),
        "brier_uncertainty": Metric(dims=("threshold",)),
        "base_rate": Metric(dims=("threshold",)),
        "roc_area": Metric(best="high", dims=("threshold",)),
    },
    sizes=_metrics,
    lengths={"exceeding": lambda members: probability_classes(members) + 1},
    place=6,
)
