"""The CRPS of what lies beyond a threshold: above it, or below it if the event is "at most"."""

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases
from stormdraw.scores.verification import Points

# A spread below this is none: no unit of a variable is that small, and ratios to it overflow.
_CERTAIN = 1e-30


@compiled
def _chained_crps(errors, lower, scores):  # type: ignore[no-untyped-def]
    """Standard and fair CRPS (2, point) of max(x, t) against max(y, t), from sorted errors x - y.

    `lower` (point,) is t - y. The chaining function keeps the order, so that nothing is sorted
    again.
    """
    points, count = errors.shape
    for point in range(points):
        distance = half_pairs = 0.0
        bound = np.float64(lower[point])
        truth = max(bound, 0.0)
        for k in range(count):
            value = max(np.float64(errors[point, k]), bound) - truth
            distance += abs(value)
            half_pairs += (2 * k - count + 1) * value
        distance /= count
        scores[0, point] = distance - half_pairs / (count * count)
        scores[1, point] = distance - half_pairs / (count * max(count - 1, 1))


def gaussian_crps_above(error: np.ndarray, spread: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """CRPS of max(X, t) against max(y, t) for Gaussian X: only what lies above t counts.

    `error` is that of the mean, `lower` is t - y. It is the integral of (F(x) - [x >= y])**2 over
    x >= t (Gneiting and Ranjan 2011, doi:10.1198/jbes.2010.08110, eq. 7). With a and b the standard
    scores of t and of max(y, t), and G the integral of Phi**2, it is

        spread * (G(b) - G(a) + G(-b))

    Without a spread it is the distance of max(mean, t) and max(y, t).
    """
    error, spread, lower = np.broadcast_arrays(error, spread, lower)
    upper = np.maximum(lower, 0.0)
    crps = np.asarray(np.abs(np.maximum(error, lower) - upper))
    # Most points of a storm's variable have no spread, and where the truth is below the threshold
    # a and b are the same: what is 0 there is not computed.
    spreads = spread >= _CERTAIN
    scale = spread[spreads]
    b = (upper - error)[spreads] / scale
    integrals = _squared_integral(-b)
    above = lower[spreads] < 0.0
    a = (lower - error)[spreads][above] / scale[above]
    integrals[above] += _squared_integral(b[above]) - _squared_integral(a)
    crps[spreads] = scale * integrals
    return crps


def _squared_integral(x: np.ndarray) -> np.ndarray:
    """The integral of Phi**2 from minus infinity to x, from integration by parts."""
    distribution = ndtr(x)
    density = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
    tail = ndtr(np.sqrt(2.0) * x) / np.sqrt(np.pi)
    return x * distribution**2 + 2.0 * density * distribution - tail


def _mirrored(points: Points) -> np.ndarray:
    """The errors of -x, in ascending order."""
    return np.ascontiguousarray(-points.errors[:, ::-1])


def _sums(points: Points) -> Arrays:
    if not points.limits:
        return {}
    spread = np.sqrt(points.variance)
    truth = points.truth.astype(np.float64)
    beyond = np.zeros((len(_KINDS), len(points.limits), truth.size))
    for index, limit in enumerate(points.limits):
        # What lies below t is, of -x, what lies above -t.
        lower = limit.sign * (limit.value - truth)
        if points.members:
            errors = points.errors if limit.sign > 0 else points.shared(_mirrored)
            _chained_crps(errors, lower, beyond[:2, index])
        beyond[2, index] = gaussian_crps_above(limit.sign * points.error, spread, lower)
        # Without a threshold nothing lies beyond it.
        beyond[:, index, np.isnan(lower)] = 0.0
    return {
        f"threshold_weighted_{kind}_sum": points.sum(values)
        for kind, values in zip(_KINDS, beyond, strict=True)
        if points.members or kind == "gaussian"
    }


def _metrics(cases: Cases) -> Arrays:
    if not cases.thresholds:
        return {}
    return {
        f"threshold_weighted_crps_{kind}": cases.mean(f"threshold_weighted_{kind}_sum")[
            ..., : len(cases.thresholds)
        ]
        for kind in _KINDS
        if f"threshold_weighted_{kind}_sum" in cases
    }


_KINDS = {
    "standard": "weighted sum of the CRPS of max(x, threshold), or min if the event is at most",
    "fair": "weighted sum of the fair CRPS of the same",
    "gaussian": "weighted sum of the CRPS of the same, of a Gaussian with the mean and spread",
}

SCORE = Score(
    sums={
        f"threshold_weighted_{kind}_sum": Sum(meaning, ("region", "threshold"))
        for kind, meaning in _KINDS.items()
    },
    points=_sums,
    metrics={
        f"threshold_weighted_crps_{kind}": Metric(best="low", dims=("threshold",))
        for kind in _KINDS
    },
    cases=_metrics,
)
