"""The statistics of "at least so much", of an ensemble or of a Gaussian distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.neighbourhoods import fss_sums
from stormdraw.scores.probabilities import exceedance_table
from stormdraw.scores.probability_matched import probability_matched_mean
from stormdraw.scores.sizes import GAUSSIAN_CLASSES


@dataclass(frozen=True)
class Verified:
    """What forecasts of events are held against: truth and `valid` (y, x), weights (region, y, x).

    `weights` are 0 where a point is not valid. `widths` are those of the neighbourhoods.
    """

    truth: np.ndarray
    valid: np.ndarray
    weights: np.ndarray
    widths: Sequence[int]

    def event(self, threshold: float) -> np.ndarray:
        """Where the truth reaches the threshold, (y, x)."""
        with np.errstate(invalid="ignore"):
            return (self.truth >= threshold) & self.valid

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The weighted sum of values (y, x) over the points of each region, (region,)."""
        return self.weights.reshape(len(self.weights), -1) @ values.ravel()


def member_events(
    members: np.ndarray, against: Verified, thresholds: Sequence[float]
) -> dict[str, np.ndarray]:
    """Tables of members (member, y, x) for all thresholds; first dims are (region, threshold)."""
    count, valid = len(members), against.valid
    matched = probability_matched_mean(members.reshape(count, -1), valid.ravel())
    matched = matched.reshape(valid.shape)
    rows = []
    with np.errstate(invalid="ignore"):
        for threshold in thresholds:
            exceeding = np.zeros(valid.shape, np.int64)
            for member in members:
                exceeding += member >= threshold
            exceeding[~valid] = 0
            of_threshold = _forecast(exceeding, count, exceeding / count, against, threshold)
            warned = (matched >= threshold) & valid
            rows.append(of_threshold | _warning(warned, against, threshold))
    block = _stacked(rows, thresholds)
    observed = np.where(valid, against.truth, 0.0).astype(np.float64)
    error = np.where(valid, matched - observed, 0.0)
    return block | {"pmm_squared_error_sum": against.sum(error**2)}


def gaussian_events(
    mean: np.ndarray, spread: np.ndarray, against: Verified, thresholds: Sequence[float]
) -> dict[str, np.ndarray]:
    """The same of Gaussian distributions (y, x), which have no probability-matched mean.

    The Brier score and fractions are those of the exact probability; the tables of reliability
    and ROC hold it rounded to the hundredth.
    """
    rows = []
    for threshold in thresholds:
        probability = np.where(against.valid, exceedance_probability(mean, spread, threshold), 0.0)
        classes = np.rint(probability * GAUSSIAN_CLASSES).astype(np.int64)
        squared = (probability - against.event(threshold)) ** 2
        rows.append(
            _forecast(classes, GAUSSIAN_CLASSES, probability, against, threshold)
            | {"brier_sum": against.sum(squared)}
        )
    return _stacked(rows, thresholds)


def exceedance_probability(mean: np.ndarray, spread: np.ndarray, threshold: float) -> np.ndarray:
    """The probability that a Gaussian reaches the threshold; 0 or 1 where it has no spread."""
    distance = np.asarray(mean, np.float64) - threshold
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        probability = ndtr(distance / spread)
    return np.where(np.equal(spread, 0.0), distance >= 0.0, probability)


def _forecast(
    classes: np.ndarray, steps: int, probability: np.ndarray, against: Verified, threshold: float
) -> dict[str, np.ndarray]:
    """Tables of a forecast probability (y, x), of which `classes` are the steps from 0 to 1."""
    event = against.event(threshold)
    flat = against.weights.reshape(len(against.weights), -1)
    weight, with_event = exceedance_table(classes.ravel(), event.ravel(), flat, steps)
    difference, reference = fss_sums(
        probability, event, against.valid, against.weights, against.widths
    )
    return {
        "probability_weight_sum": weight,
        "probability_event_sum": with_event,
        "fss_difference_sum": difference,
        "fss_reference_sum": reference,
    }


def _warning(warned: np.ndarray, against: Verified, threshold: float) -> dict[str, np.ndarray]:
    """Tables of a yes or no (y, x): that of the probability-matched mean."""
    event = against.event(threshold)
    difference, reference = fss_sums(warned, event, against.valid, against.weights, against.widths)
    return {
        "pmm_fss_difference_sum": difference,
        "pmm_fss_reference_sum": reference,
        "pmm_forecast_sum": against.sum(warned),
        "pmm_hit_sum": against.sum(warned & event),
    }


def _stacked(
    rows: Sequence[dict[str, np.ndarray]], thresholds: Sequence[float]
) -> dict[str, np.ndarray]:
    block = {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}
    return block | {"threshold_value": np.array(thresholds)}
