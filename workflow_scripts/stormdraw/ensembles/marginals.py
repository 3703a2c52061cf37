"""The distributions that calibrated members are taken from, and their CRPS.

A variable without a floor is normal. One with a floor (no echo, no CAPE) is logistic, and what of
it lies below the floor is at the floor: a censored distribution says itself how likely "nothing
there" is. CAPE and CIN are so after a square root. A censored and shifted gamma distribution (Baran
and Nemoda 2016, doi:10.1002/env.2391) would not need that, but each of its quantiles at each point
is an iteration of its own, a hundred times the work on a grid of two million points.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from stormdraw.fields.transforms import forward, inverse
from stormdraw.variables import Variable

# CRPS, and its derivatives by location and by scale.
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def normal_crps(
    observed: np.ndarray, location: np.ndarray, scale: np.ndarray, floor: float = -np.inf
) -> Gradients:
    """CRPS of normal distributions (Gneiting et al. 2005, doi:10.1175/MWR2904.1, eq. 5).

    They have no floor, whatever is given.
    """
    z = (observed - location) / scale
    both_sides = 2.0 * ndtr(z) - 1.0
    by_scale = 2.0 * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) - 1.0 / np.sqrt(np.pi)
    return scale * (z * both_sides + by_scale), -both_sides, by_scale


def logistic_crps(
    observed: np.ndarray, location: np.ndarray, scale: np.ndarray, floor: float = -np.inf
) -> Gradients:
    """CRPS of logistic distributions whose values below `floor` are at it.

    With F the standard logistic function, z of the observation and l of the floor (Jordan et al.
    2019, doi:10.18637/jss.v090.i12, appendix A):

        crps / scale = |z| + 2 log(1 + exp(-|z|)) - 1 - log(1 + exp(l)) + F(l)
    """
    z = (observed - location) / scale
    least = (floor - location) / scale
    below = expit(least)
    size = np.abs(z)
    crps = size + 2.0 * np.log1p(np.exp(-size)) - 1.0 - np.logaddexp(0.0, least) + below
    slope = np.tanh(0.5 * z)
    # Of no floor, -inf * 0.
    lost = np.where(below > 0.0, least, 0.0) * below**2
    return scale * crps, below**2 - slope, crps - z * slope + lost


@dataclass(frozen=True)
class Family:
    """Distributions by location and scale.

    `quantile` is that of location 0 and scale 1, `unit` the scale at which the variance is 1.
    """

    name: str
    unit: float
    crps: Callable[..., Gradients]
    quantile: Callable[[np.ndarray], np.ndarray]


NORMAL = Family("normal", 1.0, normal_crps, ndtri)
CENSORED_LOGISTIC = Family("censored_logistic", np.sqrt(3.0) / np.pi, logistic_crps, logit)


@dataclass(frozen=True)
class Marginal:
    """How the values of a variable at a point are distributed, in the units of the fit.

    These are the variable's own, but for the signed square root of CAPE and CIN, and the sign of
    CIN, whose "nothing there" is its largest value.
    """

    row: Variable

    @property
    def has_floor(self) -> bool:
        """Whether a value stands for "nothing there"."""
        return self.row.floor is not None

    @property
    def family(self) -> Family:
        """By whether the variable has a floor."""
        return CENSORED_LOGISTIC if self.has_floor else NORMAL

    @property
    def floor(self) -> float:
        """The least value in the units of the fit; -inf if there is none."""
        return float(self.to_fit(np.array(self.row.floor))) if self.has_floor else -np.inf

    @property
    def _sign(self) -> float:
        return -1.0 if self.row.floor == self.row.upper else 1.0

    def to_fit(self, values: np.ndarray) -> np.ndarray:
        """Values in the units of the fit and double precision."""
        return self._sign * forward(values.astype(np.float64), self.row.transform)

    def from_fit(self, values: np.ndarray) -> np.ndarray:
        """Values in the variable's units, within its bounds."""
        own = inverse(self._sign * values, self.row.transform)
        return np.clip(own, self.row.lower, self.row.upper)
