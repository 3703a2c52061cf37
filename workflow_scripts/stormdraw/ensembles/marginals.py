"""The distributions that calibrated members are taken from, and their CRPS.

A variable without a floor is normal. One with a floor (no echo, no CAPE) is logistic, and values
below the floor are set to the floor: such a censored distribution includes the probability of
"nothing there". CAPE and CIN are transformed by a square root first. A censored and shifted gamma
distribution (Baran and Nemoda 2016, doi:10.1002/env.2391) would not need the square root, but each
of its quantiles needs an iteration at each point of the grid.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from stormdraw.fields.transforms import forward, inverse
from stormdraw.variable_row import Variable

# CRPS, and its derivatives with respect to location and scale.
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def normal_crps(
    observed: np.ndarray, location: np.ndarray, scale: np.ndarray, floor: float = -np.inf
) -> Gradients:
    """CRPS of normal distributions (Gneiting et al. 2005, doi:10.1175/MWR2904.1, eq. 5).

    `floor` is ignored.
    """
    z = (observed - location) / scale
    both_sides = 2.0 * ndtr(z) - 1.0
    by_scale = 2.0 * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) - 1.0 / np.sqrt(np.pi)
    return scale * (z * both_sides + by_scale), -both_sides, by_scale


def logistic_crps(
    observed: np.ndarray, location: np.ndarray, scale: np.ndarray, floor: float = -np.inf
) -> Gradients:
    """CRPS of logistic distributions that are censored at `floor`.

    With the standard logistic function F, and with z and l the standardised observation and floor
    (Jordan et al. 2019, doi:10.18637/jss.v090.i12, appendix A):

        crps / scale = |z| + 2 log(1 + exp(-|z|)) - 1 - log(1 + exp(l)) + F(l)
    """
    z = (observed - location) / scale
    least = (floor - location) / scale
    below = expit(least)
    size = np.abs(z)
    crps = size + 2.0 * np.log1p(np.exp(-size)) - 1.0 - np.logaddexp(0.0, least) + below
    slope = np.tanh(0.5 * z)
    # Without a floor this would be -inf * 0.
    lost = np.where(below > 0.0, least, 0.0) * below**2
    return scale * crps, below**2 - slope, crps - z * slope + lost


@dataclass(frozen=True)
class Family:
    """Distributions by location and scale.

    `quantile` is the quantile function of location 0 and scale 1; `unit` is the scale at which the
    variance (before censoring) is 1.
    """

    name: str
    unit: float
    crps: Callable[..., Gradients]
    quantile: Callable[[np.ndarray], np.ndarray]


NORMAL = Family("normal", 1.0, normal_crps, ndtri)
CENSORED_LOGISTIC = Family("censored_logistic", np.sqrt(3.0) / np.pi, logistic_crps, logit)


@dataclass(frozen=True)
class Marginal:
    """The distribution of a variable at a point, in the units of the fit.

    These are the units after the variable's transform. CIN changes its sign too, since its floor is
    its largest value.
    """

    row: Variable

    @property
    def has_floor(self) -> bool:
        """Whether a value stands for "nothing there"."""
        return self.row.floor is not None

    @property
    def family(self) -> Family:
        """Censored logistic if the variable has a floor, else normal."""
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
