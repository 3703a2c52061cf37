"""Forecasts of "at least so much": Brier score, reliability, ROC and performance diagrams.

All come from one table of sums: the weight of the points at which k of M members reach the
threshold, and the weight of those at which the truth does too, each (..., M + 1). A probability
that is no share of members has steps of its own, see `stormdraw.scores.sizes`.
"""

import numpy as np

from stormdraw.scores.metrics import ratio


def exceedance_table(
    exceeding: np.ndarray, event: np.ndarray, weights: np.ndarray, members: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of all points and of those with the event, by number of members, (region, M + 1).

    `exceeding` (point,) is how many of the `members` reach the threshold, `event` (point,) whether
    the truth does, `weights` (region, point) is 0 where a point does not count.
    """
    bins = members + 1
    everywhere = [np.bincount(exceeding, weight, bins) for weight in weights]
    with_event = [np.bincount(exceeding, weight * event, bins) for weight in weights]
    return np.array(everywhere), np.array(with_event)


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


def reliability_curve(
    probability: np.ndarray, everywhere: np.ndarray, with_event: np.ndarray, bins: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Mean forecast probability and observed frequency of each bin, (bins,), NaN if it is empty.

    Of one system's tables (probability,), in bins of equal width, the last of which holds 1 too.
    Each stands at its mean probability: at its middle even a reliable forecast would leave the
    diagonal (Bröcker and Smith 2007, doi:10.1175/WAF993.1).
    """
    bin_of = np.minimum((probability * bins + 1e-9).astype(int), bins - 1)
    forecasts = np.bincount(bin_of, everywhere, bins)
    mean = ratio(np.bincount(bin_of, everywhere * probability, bins), forecasts)
    return mean, ratio(np.bincount(bin_of, with_event, bins), forecasts)


def contingency(
    everywhere: np.ndarray, with_event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hits, false alarms, misses, correct negatives for each decision threshold, (..., M + 1).

    At index k the warning is given if at least k members reach the threshold.
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
