"""Warnings: the event is forecast where its probability is at least so much.

Made of the tables of `event_probabilities`, in which hits, false alarms, misses and correct
negatives are sums over the probabilities on either side.
"""

from collections.abc import Mapping

import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score
from stormdraw.scores.statistics.event_probabilities import contingency, merged_probabilities
from stormdraw.scores.sums import Sums, ratio

# Shares of members are rounded to twelve digits, and 1 of 3 reaches a probability of 1 / 3.
_ROUNDING = 1e-9


def equitable_threat_score(
    hits: np.ndarray, false_alarms: np.ndarray, misses: np.ndarray, negatives: np.ndarray
) -> np.ndarray:
    """Critical success index beyond what chance hits, also Gilbert skill score; -1/3 to 1.

    (hits - h) / (hits + misses + false alarms - h) with h = warned x events / all (Gilbert 1884;
    Hogan et al. 2010, doi:10.1175/2009WAF2222350.1, table 1). NaN where there is nothing to hit.
    """
    by_chance = ratio(
        (hits + false_alarms) * (hits + misses), hits + false_alarms + misses + negatives
    )
    return ratio(hits - by_chance, hits + false_alarms + misses - by_chance)


def _metrics(by_size: Mapping[int, Sums]) -> Arrays:
    """Those of all thresholds and probabilities, (resample, threshold, probability)."""
    any_size = next(iter(by_size.values()), None)
    if any_size is None or not any_size.thresholds:
        return {}
    asked = np.array(any_size.parameters["probability"])
    tables = []
    for index in range(len(any_size.thresholds)):
        probability, everywhere, with_event = merged_probabilities(by_size, index)
        chosen = np.searchsorted(probability, asked - _ROUNDING)
        tables.append([table[:, chosen] for table in contingency(everywhere, with_event)])
    hits, false_alarms, misses, negatives = np.stack(tables, axis=2)
    return {
        "ets": equitable_threat_score(hits, false_alarms, misses, negatives),
        "csi": ratio(hits, hits + false_alarms + misses),
        "frequency_bias": ratio(hits + false_alarms, hits + misses),
    }


_DIMS = ("threshold", "probability")

SCORE = Score(
    sums={},
    metrics={
        "ets": Metric(
            "ETS {threshold}, from {probability} on", "high", "ratio", offered=True, dims=_DIMS
        ),
        "csi": Metric(best="high", dims=_DIMS),
        "frequency_bias": Metric(best="one", dims=_DIMS),
    },
    sizes=_metrics,
    place=7,
)
