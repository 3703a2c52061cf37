"""The continuous ranked probability score of ensembles and of Gaussian distributions.

Everything is told in errors, forecast minus truth: the CRPS does not change when both are shifted,
and small numbers lose fewer digits than kelvins do.
"""

import numpy as np
from scipy.special import ndtr

# A spread below this is none: no unit of a variable is that small, and ratios to it overflow.
_CERTAIN = 1e-30


def sorted_errors(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Each member minus the truth, in ascending order at each point, (point, member).

    `members` is (member, point) and `truth` (point,), of one precision, which the result keeps: for
    floats close to each other the difference is exact. NaN sorts to the end.
    """
    # Two steps, since a subtraction across both orders of memory takes twice as long.
    with np.errstate(invalid="ignore"):
        errors = np.ascontiguousarray((members - truth).T)
    errors.sort(axis=1)
    return errors


def ensemble_crps(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard and fair CRPS at each point of sorted errors (point, member) in float64.

    For M members x_i and the truth y:

        standard = 1/M sum_i |x_i - y| - 1/(2 M^2)     sum_ij |x_i - x_j|
        fair     = 1/M sum_i |x_i - y| - 1/(2 M (M-1)) sum_ij |x_i - x_j|

    The standard one scores the ensemble as a distribution of M steps (properscoring, xskillscore);
    the fair one is what infinitely many members of the same distribution would score on average
    (Ferro 2014, doi:10.1002/qj.2270, eq. 8). Both are the absolute error when M is 1. In ascending
    order, sum_ij |x_i - x_j| = 2 sum_k (2k - M + 1) x_k with k = 0 .. M-1, so no pairs are formed.
    """
    count = errors.shape[1]
    distance = np.abs(errors).sum(axis=1) / count
    if count == 1:
        return distance, distance.copy()
    half_pairs = np.vecdot(errors, 2.0 * np.arange(count) - count + 1.0)
    return distance - half_pairs / count**2, distance - half_pairs / (count * (count - 1))


def gaussian_crps(error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """CRPS of Gaussian distributions, given the error of their mean and their standard deviation.

    Gneiting et al. 2005 (doi:10.1175/MWR2904.1), eq. 5, with z = error / spread:

        spread * (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi))

    Where the spread is 0 it is the absolute error, its limit.
    """
    error, spread = np.broadcast_arrays(np.asarray(error, float), np.asarray(spread, float))
    certain = spread == 0.0
    # A spread so small that z overflows is as good as none: phi is 0 and Phi is 0 or 1.
    with np.errstate(over="ignore"):
        z = np.divide(error, spread, out=np.zeros(error.shape), where=~certain)
        density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    # error rather than spread * z, which would be 0 * inf there.
    crps = error * (2.0 * ndtr(z) - 1.0) + spread * (2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.where(certain, np.abs(error), crps)


def gaussian_crps_above(error: np.ndarray, spread: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """CRPS of max(X, t) against max(y, t) for Gaussian X: only what lies above t counts.

    `error` is that of the mean, `lower` is t - y. It is the integral of (F(x) - [x >= y])**2 over
    x >= t (Gneiting and Ranjan 2011, doi:10.1198/jbes.2010.08110, eq. 7). With a and b the standard
    scores of t and of max(y, t), and G the integral of Phi**2, it is

        spread * (G(b) - G(a) + G(-b))

    Without a spread it is the distance of max(mean, t) and max(y, t).
    """
    upper = np.maximum(lower, 0.0)
    certain = spread < _CERTAIN
    safe = np.where(certain, 1.0, spread)
    a, b = (lower - error) / safe, (upper - error) / safe
    crps = safe * (_squared_integral(b) - _squared_integral(a) + _squared_integral(-b))
    return np.where(certain, np.abs(np.maximum(error, lower) - upper), crps)


def _squared_integral(x: np.ndarray) -> np.ndarray:
    """The integral of Phi**2 from minus infinity to x, from integration by parts."""
    distribution = ndtr(x)
    density = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
    tail = ndtr(np.sqrt(2.0) * x) / np.sqrt(np.pi)
    return x * distribution**2 + 2.0 * density * distribution - tail
