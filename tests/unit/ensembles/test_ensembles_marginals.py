"""The distributions that members are calibrated to, against integrals and another library."""

import numpy as np
import pytest
import scoringrules
from scipy.integrate import quad
from scipy.special import expit, ndtr

from stormdraw.ensembles.marginals import (
    CENSORED_LOGISTIC,
    NORMAL,
    Marginal,
    logistic_crps,
    normal_crps,
)
from stormdraw.variables import DEFAULT_STATE, variable

FLOORS = (-np.inf, -3.0, 0.5)
CASES = np.meshgrid([0.5, 1.0, 40.0], [-20.0, 0.3], [0.2, 6.0])
OBSERVED, LOCATION, SCALE = (grid.ravel() for grid in CASES)


def integrated(cdf, observed: float, floor: float) -> float:
    """The integral of the squared difference of the two distribution functions."""
    low = max(floor, -80.0)
    below, _ = quad(lambda x: cdf(x) ** 2, low, observed, limit=500)
    above, _ = quad(lambda x: (1.0 - cdf(x)) ** 2, observed, 140.0, limit=500)
    return below + above


@pytest.mark.parametrize("floor", FLOORS)
def test_the_crps_of_a_censored_logistic_is_its_integral(floor: float) -> None:
    for y, m, s in zip(OBSERVED, LOCATION, SCALE, strict=True):
        own = logistic_crps(np.array(y), np.array(m), np.array(s), floor)[0]
        right = integrated(lambda x, m=m, s=s: expit((x - m) / s), y, floor)
        assert own == pytest.approx(right, rel=1e-6, abs=1e-7)


def test_the_crps_of_a_normal_distribution_is_its_integral() -> None:
    for y, m, s in zip(OBSERVED, LOCATION, SCALE, strict=True):
        own = normal_crps(np.array(y), np.array(m), np.array(s))[0]
        right = integrated(lambda x, m=m, s=s: ndtr((x - m) / s), y, -np.inf)
        assert own == pytest.approx(right, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("floor", FLOORS)
def test_the_crps_is_that_of_another_library(floor: float) -> None:
    given = (OBSERVED, LOCATION, SCALE)
    # The library has no infinite upper end, and no value where nothing is above the floor.
    with np.errstate(all="ignore"):
        right = scoringrules.crps_clogistic(*given, lower=max(floor, -900.0), upper=900.0)
    told = np.isfinite(right)
    assert told.sum() >= 6
    own = logistic_crps(*given, floor)[0]
    np.testing.assert_allclose(own[told], right[told], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(normal_crps(*given)[0], scoringrules.crps_normal(*given), rtol=1e-9)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("crps", [normal_crps, logistic_crps])
def test_the_derivatives_are_those_of_small_steps(crps, floor: float) -> None:
    step = 1e-5
    _, by_location, by_scale = crps(OBSERVED, LOCATION, SCALE, floor)
    for own, (up, down) in (
        (by_location, ((LOCATION + step, SCALE), (LOCATION - step, SCALE))),
        (by_scale, ((LOCATION, SCALE + step), (LOCATION, SCALE - step))),
    ):
        right = (crps(OBSERVED, *up, floor)[0] - crps(OBSERVED, *down, floor)[0]) / (2 * step)
        np.testing.assert_allclose(own, right, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("family", [NORMAL, CENSORED_LOGISTIC])
def test_a_family_has_variance_one_at_its_unit(family) -> None:
    levels = (np.arange(200_000) + 0.5) / 200_000
    assert (family.unit * family.quantile(levels)).var() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", DEFAULT_STATE)
def test_values_come_back_from_the_units_of_the_fit(name: str) -> None:
    row = variable(name)
    values = np.linspace(row.lower, row.upper, 9)
    marginal = Marginal(row)
    np.testing.assert_allclose(marginal.from_fit(marginal.to_fit(values)), values, rtol=1e-12)
    beyond = marginal.from_fit(marginal.to_fit(values) * 1.5 + np.array([-1e3, 1e3])[:, None])
    assert row.lower <= beyond.min() <= beyond.max() <= row.upper


def test_nothing_there_is_the_least_value_of_the_fit() -> None:
    for name in ("REFC", "CAPE", "CIN"):
        row = variable(name)
        marginal = Marginal(row)
        fitted = marginal.to_fit(np.linspace(row.lower, row.upper, 9))
        assert marginal.floor == fitted.min()
        assert marginal.from_fit(np.array(marginal.floor)) == row.floor
    assert Marginal(variable("T2M")).floor == -np.inf
