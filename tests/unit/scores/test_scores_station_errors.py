"""Forecasts of reports, which have errors of their own."""

import numpy as np
import pytest

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.stations.held_out import held_out
from stormdraw.scores.stations.observation_error import perturbed_moments, with_observation_error


def test_members_are_perturbed_alike_in_an_ensemble_of_any_size() -> None:
    large, small = (
        with_observation_error(
            Forecast("T2M", np.full((count, 30), 280.0, np.float32)), 2.0, np.random.default_rng(1)
        )
        for count in (50, 10)
    )
    assert large.members is not None
    assert small.members is not None
    np.testing.assert_array_equal(large.members[:10], small.members)
    # Of 1500 errors the standard deviation is known to 2 %, their mean to 0.05.
    assert large.members.std() == pytest.approx(2.0, rel=0.08)
    assert large.members.mean() == pytest.approx(280.0, abs=0.2)


def test_a_perturbed_wind_speed_is_not_negative() -> None:
    calm = Forecast("WIND10", np.zeros((20, 30), np.float32))
    perturbed = with_observation_error(calm, 1.0, np.random.default_rng(1)).members
    assert perturbed is not None
    assert perturbed.min() == 0.0
    # Half of all errors are negative.
    assert (perturbed == 0.0).mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(
    "forecast",
    [
        Forecast("T2M", np.full((1, 3), 280.0, np.float32)),
        Forecast("T2M", None, np.full(3, 280.0), np.zeros(3), sampled=1),
    ],
    ids=["one member", "mean of one member"],
)
def test_a_single_value_stays_as_it_is(forecast: Forecast) -> None:
    assert with_observation_error(forecast, 1.0, np.random.default_rng(1)) is forecast


def test_without_an_error_nothing_changes() -> None:
    forecast = Forecast("T2M", np.full((5, 3), 280.0, np.float32))
    assert with_observation_error(forecast, 0.0, np.random.default_rng(1)) is forecast


def test_the_variance_is_added_to_a_spread_of_an_unknown_number_of_members() -> None:
    published = Forecast("T2M", None, np.full(3, 280.0), np.full(3, 3.0))
    found = with_observation_error(published, 4.0, np.random.default_rng(1))
    np.testing.assert_array_equal(found.mean, 280.0)
    np.testing.assert_allclose(found.spread, 5.0)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_moments_are_distributed_as_those_of_perturbed_members(count: int) -> None:
    """Against perturbing members that are far from Gaussian: means, spreads and both squared."""
    random = np.random.default_rng(20260608)
    members = random.exponential(2.0, count)
    draws, error = 100_000, 1.5
    mean, spread = perturbed_moments(
        np.full(draws, members.mean()), np.full(draws, members.std(ddof=1)), count, error, random
    )
    perturbed = members[:, None] + error * random.standard_normal((count, draws))
    expected = perturbed.mean(axis=0), perturbed.std(axis=0, ddof=1)
    for own, other in zip((mean, spread), expected, strict=True):
        for power in (1, 2):
            a, b = own**power, other**power
            tolerance = 5 * np.sqrt((a.var() + b.var()) / draws)
            assert abs(a.mean() - b.mean()) < tolerance
    assert abs(np.corrcoef(mean, spread)[0, 1]) < 5 / np.sqrt(draws)


def test_about_the_share_of_stations_is_held_out_and_always_the_same_ones() -> None:
    names = [f"K{number:03d}" for number in range(1000)]
    chosen = {name for name in names if held_out(name, 0.1)}
    # Binomial: 100 with a standard deviation of 9.5.
    assert 60 < len(chosen) < 140
    assert chosen < {name for name in names if held_out(name, 0.2)}
    assert not any(held_out(name, 0.0) for name in names)
    # By `sha256sum`, that of KBOI begins with 62 and that of KORD with cd.
    assert [held_out("KBOI", share / 256) for share in (0x62, 0x63)] == [False, True]
    assert not held_out("KORD", 0xCD / 256)
