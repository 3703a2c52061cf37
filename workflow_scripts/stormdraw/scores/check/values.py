"""The scores of a field from means over its points that libraries gave."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stormdraw.scores.check.libraries import (
    DISTANCE,
    SQUARED_ERROR,
    VARIANCE,
    XSKILLSCORE,
    Means,
)


@dataclass(frozen=True)
class Scored:
    """The means of a field over its `points`; `ranks` (rank,) of an ensemble of several members.

    `members` is 0 if only mean and spread are known.
    """

    points: int
    members: int
    means: Means
    ranks: np.ndarray | None = None


@dataclass(frozen=True)
class Value:
    """A score by a library. Differences are relative to `scale`, the value of `relative_to`."""

    metric: str
    library: str
    value: float
    relative_to: str
    scale: float
    threshold: str = ""


def values_of(scored: Scored) -> Iterator[Value]:
    """All scores of a field.

    Most are means of what is nowhere negative, and differences are relative to themselves. Those
    that may be nearly 0 by cancellation have another scale: the bias that of the RMSE, and a fair
    score that of the standard one.
    """
    yield _itself("points", "xarray", float(scored.points))
    if not scored.points:
        return
    means = scored.means
    rmse = math.sqrt(means["rmse", "", SQUARED_ERROR])
    yield _itself("rmse", XSKILLSCORE, rmse)
    yield Value("bias", XSKILLSCORE, means["bias", "", XSKILLSCORE], "rmse", rmse)
    if ("spread", "", VARIANCE) in means:
        spread = math.sqrt(means["spread", "", VARIANCE])
        yield _itself("spread", XSKILLSCORE, spread)
        if rmse:
            inflation = 1.0 + 1.0 / scored.members if scored.members else 1.0
            ratio = math.sqrt(inflation) * spread / rmse
            yield _itself("spread_error_ratio", XSKILLSCORE, ratio)
    for (metric, threshold, library), value in means.items():
        if metric in ("crps_standard", "crps_gaussian", "brier"):
            yield _itself(metric, library, value, threshold)
        elif metric == "brier_fair":
            standard = means["brier", threshold, library]
            yield Value(metric, library, value, "brier", standard, threshold)
    if scored.members:
        yield _fair_crps(scored)
    if scored.ranks is not None:
        frequency = scored.ranks / scored.ranks.sum()
        index = float(np.abs(frequency - 1.0 / frequency.size).sum())
        yield _itself("rank_index", XSKILLSCORE, index)


def _fair_crps(scored: Scored) -> Value:
    """The fair CRPS, which no library here has, from what xskillscore has.

    With M members, standard = distance - pairs and fair = distance - pairs M / (M - 1), where
    `distance` is the mean distance of members to the truth.
    """
    standard = scored.means["crps_standard", "", XSKILLSCORE]
    distance = scored.means["crps_fair", "", DISTANCE]
    size = scored.members
    fair = distance - (distance - standard) * size / (size - 1) if size > 1 else standard
    return Value("crps_fair", XSKILLSCORE, fair, "crps_standard", standard)


def _itself(metric: str, library: str, value: float, threshold: str = "") -> Value:
    return Value(metric, library, value, metric, value, threshold)
