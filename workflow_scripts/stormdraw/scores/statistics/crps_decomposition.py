"""The CRPS of many cases, taken apart into reliability and potential CRPS."""

from collections.abc import Mapping

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Sums, weighted_mean
from stormdraw.scores.verification import Points


@compiled
def _add_parts(errors, weights, parts):  # type: ignore[no-untyped-def]
    """Add the weighted negative and positive part of each order statistic to `parts`.

    `errors` is (point, member), `weights` (region, point), `parts` (region, 2, member).
    """
    points, count = errors.shape
    for point in range(points):
        for region in range(weights.shape[0]):
            weight = weights[region, point]
            if weight == 0.0:
                continue
            for k in range(count):
                error = np.float64(errors[point, k])
                parts[region, 0, k] += weight * min(error, 0.0)
                parts[region, 1, k] += weight * max(error, 0.0)


def _sums(points: Points) -> Arrays:
    if not points.members:
        return {}
    parts = np.zeros((len(points.weights), 2, points.members))
    _add_parts(points.errors, points.weights, parts)
    return {
        "parts_sum": parts,
        "below_all_sum": points.sum(points.below + points.equal == 0),
        "above_all_sum": points.sum(points.below == points.members),
    }


def crps_decomposition(
    parts: np.ndarray, weight: np.ndarray, below_all: np.ndarray, above_all: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Reliability and potential CRPS of an ensemble (Hersbach 2000), each (...).

    doi:10.1175/1520-0434(2000)015<0559:DOTCRP>2.0.CO;2, eqs. 26-31, 36 and 37; they add up to the
    standard CRPS. `parts` (..., 2, M) are sums over points of the negative and positive part of
    each order statistic's error x_(i) - y, `weight` (...) the sum of weights, `below_all` and
    `above_all` (...) the weights of the points whose truth lies below or above all members.

    Hersbach's alpha_i, how much of [x_(i), x_(i+1)] lies below the truth, is the difference of
    neighbouring negative parts, and beta_i that of positive parts; outside, where the truth is
    beyond all members, they are the first positive and the last negative part alone. All sums are
    linear, so that cases may be added before.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        negative = parts[..., 0, :] / weight[..., None]
        positive = parts[..., 1, :] / weight[..., None]
        beyond_low, beyond_high = below_all / weight, above_all / weight
    members = negative.shape[-1]
    alpha, beta = np.diff(negative), np.diff(positive)
    width = alpha + beta
    # The truth's frequency of lying below a bin's middle; where a bin has no width it has no part.
    frequency = np.divide(beta, width, out=np.zeros(width.shape), where=width > 0.0)
    probability = np.arange(1, members) / members
    low, high = positive[..., 0], -negative[..., -1]
    reliability = (width * (frequency - probability) ** 2).sum(-1)
    potential = (width * frequency * (1.0 - frequency)).sum(-1)
    reliability += low * beyond_low + high * beyond_high
    potential += low * (1.0 - beyond_low) + high * (1.0 - beyond_high)
    return reliability, potential


def _metrics(by_size: Mapping[int, Sums]) -> Arrays:
    """Means over sizes weighted by area, so that they add up to the CRPS of all cases."""
    having = [sums for size, sums in by_size.items() if size and "parts_sum" in sums]
    if not having:
        return {}
    weights = [sums["weight_sum"] for sums in having]
    parts = [
        crps_decomposition(
            sums["parts_sum"], sums["weight_sum"], sums["below_all_sum"], sums["above_all_sum"]
        )
        for sums in having
    ]
    reliability, potential = zip(*parts, strict=True)
    return {
        "crps_reliability": weighted_mean(reliability, weights),
        "crps_potential": weighted_mean(potential, weights),
    }


SCORE = Score(
    sums={
        "parts_sum": Sum(
            "weighted sums of the negative and positive part of each sorted member's error",
            ("region", "part", "order"),
        ),
        "below_all_sum": Sum("weight of points where the truth lies below all members"),
        "above_all_sum": Sum("weight of points where the truth lies above all members"),
    },
    points=_sums,
    metrics={"crps_reliability": Metric(best="low"), "crps_potential": Metric(best="low")},
    sizes=_metrics,
    lengths={"part": 2, "order": lambda members: members},
)
