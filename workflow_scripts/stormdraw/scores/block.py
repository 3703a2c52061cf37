"""Reduce one variable at one lead of a case to the sums of all scores."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from stormdraw.scores import registry
from stormdraw.scores.coverage import coverage
from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import Scores
from stormdraw.scores.threshold import Limit
from stormdraw.scores.verification import Event, Fields, Points, Wind
from stormdraw.seeds import generator_for
from stormdraw.variables import variable

# The most values (members x points) and the most points that are scored at once, so that they stay
# in a core's cache from the sort to the last sum.
_MOST_VALUES, _MOST_POINTS = 2**17, 2**12


@dataclass(frozen=True)
class Block:
    """A forecast, its truth (y, x) and the settings for its scores.

    `weights` is (region, y, x). Only `points` (y, x) count. `labels` (initial time, variable, lead)
    seed the random numbers. `limits` belong to the variable's events.
    """

    forecast: Forecast
    truth: np.ndarray
    weights: np.ndarray
    points: np.ndarray
    scores: Scores
    run_seed: int
    labels: tuple[str, str, int]
    threads: int = 1
    limits: Sequence[Limit] = ()

    def members(self) -> np.ndarray | None:
        """The members (member, y, x), or None if only mean and spread are known."""
        if self.forecast.members is None or len(self.forecast.members):
            return self.forecast.members
        # Without members there is nothing to score: one member of NaN makes no point count.
        return np.full((1, *self.truth.shape), np.nan, np.float32)


def block_sums(block: Block) -> tuple[Arrays, Arrays]:
    """All sums except those of the wind vector, and all maps (y, x).

    Maps are NaN where a point does not count.
    """
    members = block.members()
    sums, maps, valid = point_sums(block, members)
    fields = Fields(
        block.forecast,
        members,
        block.truth,
        valid,
        np.where(valid, block.weights, 0.0),
        block.weights,
        block.scores,
        block.threads,
        block.limits,
    )
    sums |= coverage(fields)
    if valid.any():
        for score in registry.scores().values():
            if score.fields and (fields.limits or not score.event):
                sums |= score.fields(fields)
        sums |= event_sums(fields)
    return sums, maps


def wind_sums(wind: Wind) -> Arrays:
    """The sums of scores that need both wind components."""
    sums: Arrays = {}
    for score in registry.scores().values():
        if score.wind:
            sums |= score.wind(wind)
    return sums


def point_sums(block: Block, members: np.ndarray | None) -> tuple[Arrays, Arrays, np.ndarray]:
    """Sums over points, maps, and the mask of valid points (y, x).

    Threads score small batches of points. The sums are added in the order of the points, so the
    number of threads does not change the result.
    """
    size = block.truth.size
    valid = np.empty(size, bool)
    scores = registry.scores().values()
    mapped = {name: function for score in scores for name, (_, function) in score.maps.items()}
    maps = {name: np.empty(size, np.float32) for name in mapped if block.scores.maps}
    points_at = _points_of(block, members)

    def reduce(start: int) -> list[Arrays]:
        here = slice(start, start + step)
        points = points_at(here)
        valid[here] = points.valid
        for name, at_points in maps.items():
            at_points[here] = np.where(points.valid, mapped[name](points), np.nan)
        return [score.points(points) for score in scores if score.points]

    total: Arrays = {}
    step = max(1, min(_MOST_POINTS, _MOST_VALUES // (1 if members is None else len(members))))
    with ThreadPoolExecutor(block.threads) as pool:
        for by_score in pool.map(reduce, range(0, size, step)):
            for sums in by_score:
                for name, values in sums.items():
                    total[name] = total[name] + values if name in total else values
    shape = block.truth.shape
    on_grid = {name: values.reshape(shape) for name, values in maps.items()}
    return total, on_grid, valid.reshape(shape)


def _points_of(block: Block, members: np.ndarray | None) -> Callable[[slice], Points]:
    """A function that returns the points of a slice of the flattened grid."""
    truth, allowed = block.truth.ravel(), block.points.ravel()
    weights = block.weights.reshape(len(block.weights), -1)
    name = block.forecast.name

    def at(here: slice) -> Points:
        def random(label: str) -> np.ndarray:
            generator = generator_for(block.run_seed, label, *block.labels)
            # A point gets the same number as if the whole grid were drawn at once.
            generator.bit_generator.advance(here.start)  # type: ignore[attr-defined]
            return generator.random(len(truth[here]))

        of_points = (truth[here], weights[:, here], allowed[here])
        more: dict[str, Any] = {
            "limits": [limit.of(here) for limit in block.limits],
            "precision": variable(name).precision,
            "random": random,
        }
        if members is None:
            mean, spread = block.forecast.mean.ravel(), block.forecast.spread.ravel()
            more["sampled"] = block.forecast.sampled
            return Points.of_gaussian(mean[here], spread[here], *of_points, **more)
        return Points.of_members(members.reshape(len(members), -1)[:, here], *of_points, **more)

    return at


def event_sums(fields: Fields) -> Arrays:
    """The sums of event scores at all thresholds, (region, threshold, ...)."""
    rows: list[Arrays] = []
    for limit in fields.limits:
        event = Event(fields, limit)
        rows.append({})
        for score in registry.scores().values():
            if score.event:
                rows[-1] |= score.event(event)
    return {name: np.stack([row[name] for row in rows], axis=1) for name in (rows or [{}])[0]}
