"""A forecast on a grid beside its truth, as statistics are given it."""

from typing import Any

import numpy as np

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.settings import Scores
from stormdraw.scores.threshold import Limit, Threshold
from stormdraw.scores.verification import Fields, Points


def points_of(members: np.ndarray, truth: np.ndarray, **more: Any) -> Points:
    """Members (member, point), all points of the same weight unless it is given."""
    weights = more.pop("weights", np.ones((1, truth.size)))
    return Points.of_members(members, truth, weights, **more)


def fields_of(forecast: Forecast, truth: np.ndarray, weights: np.ndarray, **scores: Any) -> Fields:
    """Truth (y, x) and weights (region, y, x), which are 0 where a point does not count."""
    valid = np.any(weights > 0.0, axis=0)
    settings = Scores.model_validate(scores)
    limits = [Limit(own, own.number) for own in settings.fixed_thresholds(forecast.name)]
    sides = (truth, valid, weights, weights, settings)
    return Fields(forecast, forecast.members, *sides, limits=limits)


def limit_of(given: float | str) -> Limit:
    """That of a threshold that is a value."""
    return Limit(Threshold.parse(given), Threshold.parse(given).number)


def storms_of_sizes(
    random: np.random.Generator, sizes: tuple[int, ...]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Members (member, y, x) and truth (y, x) of a case for each number of members."""
    return [
        (
            random.normal(18.0, 8.0, (size, 5, 7)).astype(np.float32),
            random.normal(18.0, 8.0, (5, 7)).astype(np.float32),
        )
        for size in sizes
    ]
