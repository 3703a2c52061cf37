"""Forecast and truth of one variable at one lead, from which statistics are computed.

Members are stored as errors (forecast minus truth): scores at points do not depend on a common
offset, and small numbers lose fewer digits than temperatures in kelvins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.kernels import count_reaching, in_threads, point_scores
from stormdraw.scores.settings import Scores
from stormdraw.scores.threshold import Limit

# Forecast probabilities from mean and spread are binned to hundredths.
_GAUSSIAN_CLASSES = 100

# The number of points that a thread takes at once, so that they stay in its core's cache.
_POINTS = 2**13


@dataclass
class _Shared:
    """Caches intermediate results that several statistics share."""

    _made: dict[Callable, Any] = field(default_factory=dict, init=False, repr=False)

    def shared(self, make: Callable[[Self], Any]) -> Any:
        """The result of `make(self)`, which is called only once."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


@dataclass
class Points(_Shared):
    """A batch of grid points; arrays are (point,) unless stated otherwise.

    `errors` (point, member) are the errors of the members in ascending order, and `members` is
    their number. If only mean and spread are known it is 0; then there are no errors, the CRPS of
    members is NaN, and no member is `below` or `equal` to the truth. `error` is that of the mean.
    `variance` divides by M - 1 and is 0 for one member. `sampled` is the number of members behind
    mean and variance, 0 if unknown. Where a point is not `valid`, `weights` (region, point) and all
    other arrays are 0.

    `limits` are the limits of the variable's events at these points. `random(label)` draws a number
    from 0 to 1 for each point, independent of the batch.
    """

    members: int
    errors: np.ndarray
    truth: np.ndarray
    valid: np.ndarray
    weights: np.ndarray
    error: np.ndarray
    variance: np.ndarray
    crps_standard: np.ndarray
    crps_fair: np.ndarray
    below: np.ndarray
    equal: np.ndarray
    limits: Sequence[Limit] = ()
    precision: float = 0.0
    sampled: int = 0
    random: Callable[[str], np.ndarray] = field(default=lambda label: np.empty(0))

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Weighted sums (region, ...) of values (..., point)."""
        return self.weights @ values.T

    def sum_by(self, bins: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
        """Weighted sums (region, bin) of values at the points of each bin."""
        return np.array([np.bincount(bins, weight * values, length) for weight in self.weights])

    def count_by(self, bins: np.ndarray, length: int) -> np.ndarray:
        """The number of points with a weight in each bin, (region, bin)."""
        return np.array([np.bincount(bins[mask], minlength=length) for mask in self.weights > 0.0])

    @classmethod
    def of_members(
        cls,
        members: np.ndarray,
        truth: np.ndarray,
        weights: np.ndarray,
        allowed: np.ndarray | None = None,
        **more: Any,
    ) -> Self:
        """Points of members (member, point). Only `allowed` points count; None allows all."""
        count, size = members.shape
        errors = sorted_errors(members, truth)
        valid = np.ones(size, bool) if allowed is None else allowed.copy()
        # scores: error, variance, crps_standard, crps_fair. counts: below, equal.
        scores, counts = np.empty((4, size)), np.empty((2, size), np.int32)
        point_scores(errors, valid, scores, counts)
        if not valid.all():
            errors[~valid] = 0.0
        counting, truth = np.where(valid, weights, 0.0), np.where(valid, truth, truth.dtype.type(0))
        more.setdefault("sampled", count)
        return cls(count, errors, truth, valid, counting, *scores, *counts, **more)

    @classmethod
    def of_gaussian(
        cls,
        mean: np.ndarray,
        spread: np.ndarray,
        truth: np.ndarray,
        weights: np.ndarray,
        allowed: np.ndarray | None = None,
        **more: Any,
    ) -> Self:
        """Points of Gaussian distributions; a negative spread counts as missing."""
        valid = np.isfinite(mean) & np.isfinite(spread) & np.isfinite(truth)
        valid &= np.greater_equal(spread, 0.0, out=np.zeros(valid.shape, bool), where=valid)
        if allowed is not None:
            valid &= allowed
        truth = np.where(valid, truth, 0.0).astype(np.float64)
        error = np.where(valid, mean, 0.0) - truth
        variance = np.where(valid, spread, 0.0).astype(np.float64) ** 2
        unknown, none = np.full(valid.shape, np.nan), np.zeros(valid.shape, np.int32)
        counting = np.where(valid, weights, 0.0)
        errors = np.empty((valid.size, 0))
        return cls(
            0, errors, truth, valid, counting, error, variance, unknown, unknown, none, none, **more
        )


def sorted_errors(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Each member minus the truth, in ascending order at each point, (point, member).

    `members` is (member, point) and `truth` (point,). Both have the same precision, which the
    result keeps: the difference of floats close to each other is exact. NaN sorts to the end.
    """
    # Subtracting and transposing in one step would take twice as long.
    with np.errstate(invalid="ignore"):
        errors = np.ascontiguousarray((members - truth).T)
    errors.sort(axis=1)
    return errors


@dataclass
class Fields(_Shared):
    """A forecast on the grid and its truth (y, x).

    `members` are (member, y, x), or None if only mean and spread are known. `weights` (region, y,
    x) are 0 where a point is not `valid` (y, x); `region_weights` are not. `limits` belong to the
    variable's events.
    """

    forecast: Forecast
    members: np.ndarray | None
    truth: np.ndarray
    valid: np.ndarray
    weights: np.ndarray
    region_weights: np.ndarray
    scores: Scores
    threads: int = 1
    limits: Sequence[Limit] = ()

    @property
    def member_count(self) -> int:
        """The number of members, 0 if only mean and spread are known."""
        return 0 if self.members is None else len(self.members)

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean (y, x) of the members in double precision."""
        members: np.ndarray = self.members  # type: ignore[assignment]
        return ensemble_mean(members, self.threads)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The weighted sum of values (y, x) over the points of each region, (region,)."""
        return self.weights.reshape(len(self.weights), -1) @ values.ravel()


def ensemble_mean(members: np.ndarray, threads: int = 1) -> np.ndarray:
    """The mean (...) of members (member, ...) in double precision."""
    flat = members.reshape(len(members), -1)
    mean = np.empty(flat.shape[1])

    def average(here: slice) -> None:
        flat[:, here].mean(axis=0, dtype=np.float64, out=mean[here])

    in_threads(average, mean.size, _POINTS, threads)
    return mean.reshape(members.shape[1:])


class Event:
    """The event that a variable is at least, or at most, a threshold, at valid points.

    `observed` (y, x) says where it occurs in the truth. `probability` (y, x) is the forecast
    probability and `classes` (y, x) the same as a whole number of `steps` from 0 to 1: the number
    of members with the event, or hundredths of the probability of a Gaussian.
    """

    def __init__(self, fields: Fields, limit: Limit) -> None:
        self.fields = fields
        self.limit = limit
        with np.errstate(invalid="ignore"):
            self.observed = limit.reached(fields.truth) & fields.valid
        self.steps = probability_classes(fields.member_count)
        if fields.members is None:
            exact = gaussian_probability(fields.forecast.mean, fields.forecast.spread, limit)
            self.probability = np.where(fields.valid, exact, 0.0)
            self.classes = np.rint(self.probability * self.steps).astype(np.int64)
        else:
            self.classes = members_reaching(fields.members, limit, fields.threads)
            self.classes[~fields.valid] = 0
            self.probability = self.classes / self.steps


def members_reaching(members: np.ndarray, limit: Limit, threads: int = 1) -> np.ndarray:
    """The number (y, x) of members (member, y, x) with the event; NaN never has it."""
    flat = members.reshape(len(members), -1)
    counts = np.zeros(flat.shape[1], np.int64)
    sign, lower = members.dtype.type(limit.sign), limit.lower(members.shape[1:], members.dtype)
    at_points = lower.ravel()
    in_threads(
        lambda here: count_reaching(flat[:, here], sign, at_points[here], counts[here]),
        counts.size,
        _POINTS,
        threads,
    )
    return counts.reshape(members.shape[1:])


def probability_classes(members: int) -> int:
    """The number of steps between forecast probabilities of 0 and 1."""
    return members or _GAUSSIAN_CLASSES


def gaussian_probability(mean: np.ndarray, spread: np.ndarray, limit: Limit) -> np.ndarray:
    """The probability of the event under a Gaussian; 0 or 1 where the spread is 0."""
    distance = limit.sign * (np.asarray(mean, np.float64) - limit.value)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        probability = ndtr(distance / spread)
    return np.where(np.equal(spread, 0.0), distance >= 0.0, probability)


@dataclass(frozen=True)
class Wind:
    """Both wind components and their truths (y, x), with `weights` (region, y, x).

    Only `allowed` points (y, x) count.
    """

    u: Forecast
    v: Forecast
    true_u: np.ndarray
    true_v: np.ndarray
    weights: np.ndarray
    allowed: np.ndarray
    threads: int = 1
