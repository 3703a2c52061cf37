"""EMOS, where the right coefficients are known."""

import numpy as np
import pytest
from scipy.optimize import minimize

from stormdraw.ensembles.emos import Coefficients, fit, mean_crps
from stormdraw.ensembles.marginals import Marginal
from stormdraw.variables import variable

TEMPERATURE, ECHO = Marginal(variable("T2M")), Marginal(variable("REFC"))
RIGHT = Coefficients(a=30.0, b=0.9, c=0.5, d=2.0)
OF_ECHO = Coefficients(a=-6.0, b=1.2, c=4.0, d=1.5)


def world(
    marginal: Marginal, right: Coefficients, centre: float, size: int = 60_000
) -> tuple[np.ndarray, ...]:
    """Mean and variance of ensembles, and truths drawn from what they should say."""
    random = np.random.default_rng(3)
    mean = centre + 8.0 * random.normal(size=size)
    variance = random.gamma(1.0, 4.0, size=size)
    location, scale = right.location_and_scale(marginal.family, mean, variance)
    drawn = location + scale * marginal.family.quantile(random.uniform(size=size))
    return mean, variance, np.maximum(drawn, marginal.floor)


@pytest.mark.parametrize(
    ("marginal", "right", "centre"), [(TEMPERATURE, RIGHT, 290.0), (ECHO, OF_ECHO, 2.0)]
)
def test_the_coefficients_of_a_known_world_are_found(
    marginal: Marginal, right: Coefficients, centre: float
) -> None:
    mean, variance, observed = world(marginal, right, centre)
    found = fit(marginal, mean, variance, observed)
    assert found.b == pytest.approx(right.b, abs=0.01)
    # What is known best is the middle of the line.
    assert found.a + centre * found.b == pytest.approx(right.a + centre * right.b, abs=0.06)
    assert found.d == pytest.approx(right.d, rel=0.06)
    assert found.c + 4.0 * found.d == pytest.approx(right.c + 4.0 * right.d, rel=0.03)


def test_a_search_without_derivatives_finds_no_smaller_crps() -> None:
    given = world(ECHO, OF_ECHO, 2.0, size=2_000)
    found = fit(ECHO, *given)

    def crps(four: np.ndarray) -> float:
        return mean_crps(ECHO, Coefficients(*four[:2], *np.abs(four[2:])), *given)

    start = [found.a + 0.5, found.b, found.c * 1.2, found.d]
    other = minimize(crps, start, method="Nelder-Mead", options={"maxiter": 1_000})
    assert mean_crps(ECHO, found, *given) <= other.fun + 1e-6


def test_spread_that_says_nothing_is_not_used_and_a_mean_that_misleads_is_not_turned() -> None:
    random = np.random.default_rng(5)
    mean, variance = random.normal(size=(2, 20_000)) ** 2
    observed = 290.0 - mean + random.normal(size=mean.size) / (1.0 + variance)
    found = fit(TEMPERATURE, mean, variance, observed)
    assert (found.b, found.d) == (0.0, 0.0)
    assert found.c > 0.0


def test_an_ensemble_without_any_spread_or_error_has_coefficients() -> None:
    mean = np.full(50, 280.0)
    found = fit(TEMPERATURE, mean, np.zeros(50), mean)
    location, scale = found.location_and_scale(TEMPERATURE.family, mean, np.zeros(50))
    np.testing.assert_allclose(location, 280.0, atol=0.01)
    assert 0.0 < scale.max() < 0.1
