"""Ensemble model output statistics (EMOS): a distribution from an ensemble's mean and variance.

Gneiting et al. 2005 (doi:10.1175/MWR2904.1): the mean of the distribution is a + b times that of
the ensemble, and its variance is c + d times that of the ensemble. The coefficients minimise the
mean CRPS over past cases. R has packages for this (ensembleMOS, crch). In Python, IMPROVER has it
for whole Iris cubes and without censoring, and is not on PyPI. Here SciPy minimises closed forms.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from stormdraw.ensembles.marginals import Family, Marginal

# The least c, relative to the variance of the observations: a distribution always has a width.
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Coefficients:
    """Mean a + b m and variance c + d v, for an ensemble of mean m and variance v.

    All in the units of the fit (`stormdraw.ensembles.marginals`).
    """

    a: float
    b: float
    c: float
    d: float

    def location_and_scale(
        self, family: Family, mean: np.ndarray, variance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale of the distributions where the ensemble has this mean and variance.

        For a censored family, those of the uncensored distribution.
        """
        return self.a + self.b * mean, family.unit * np.sqrt(self.c + self.d * variance)


def mean_crps(
    marginal: Marginal,
    coefficients: Coefficients,
    mean: np.ndarray,
    variance: np.ndarray,
    observed: np.ndarray,
) -> float:
    """The mean CRPS of the distributions at some points, in the units of the fit."""
    family = marginal.family
    location, scale = coefficients.location_and_scale(family, mean, variance)
    return float(family.crps(observed, location, scale, marginal.floor)[0].mean())


def fit(
    marginal: Marginal, mean: np.ndarray, variance: np.ndarray, observed: np.ndarray
) -> Coefficients:
    """The coefficients with the least mean CRPS over some points; each array is (point,).

    b, c and d are not negative. The forecast thus never falls when the ensemble mean rises.
    """
    # Standardised, so that all four coefficients are of the order of 1.
    middle, centre, width = float(mean.mean()), float(observed.mean()), float(observed.std()) or 1.0
    m, v, y = (mean - middle) / width, variance / width**2, (observed - centre) / width
    floor = (marginal.floor - centre) / width
    family = marginal.family

    def score(four: np.ndarray) -> tuple[float, np.ndarray]:
        scale = family.unit * np.sqrt(four[2] + four[3] * v)
        crps, by_location, by_scale = family.crps(y, four[0] + four[1] * m, scale, floor)
        by_variance = by_scale * family.unit**2 / (2.0 * scale)
        gradient = [by_location, by_location * m, by_variance, by_variance * v]
        return float(crps.mean()), np.array([part.mean() for part in gradient])

    found = minimize(
        score,
        _start(m, v, y),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), (0.0, None), (_LEAST_VARIANCE, None), (0.0, None)],
        options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 500},
    )
    a, b, c, d = (float(value) for value in found.x)
    return Coefficients(centre + width * a - b * middle, b, width**2 * c, d)


def _start(m: np.ndarray, v: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A first guess whose variance is the mean squared error, half of it from the ensemble's."""
    error, spread = float(np.mean((y - m) ** 2)), float(np.mean(v))
    half = error / 2.0
    return np.array([0.0, 1.0, half, half / spread if spread > 0 else 0.0])
