"""Rain over the hour: from the echo, without loss, along the way of the storms."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.special import erf
from simulated_world import DOMAIN, WORLD, generator, hours_of

from stormdraw.simulated.noise import Noise
from stormdraw.simulated.rain import mean_rate, moved, rain_of, rain_rate
from stormdraw.simulated.surface import to_precision


def echo_of(rate: np.ndarray) -> np.ndarray:
    """dBZ of a rate in mm/h: 10 log10(300 R^1.4)."""
    return 10 * np.log10(300.0 * np.maximum(rate, 1e-9) ** 1.4)


def test_rates_are_those_of_the_radar_relation():
    rates = np.array([0.1, 1.0, 10.0, 100.0])
    np.testing.assert_allclose(rain_rate(echo_of(rates)), rates)
    # The cap of the WSR-88D: 103.8 mm/h.
    assert rain_rate(np.float64(53.0)) == pytest.approx(103.8, abs=0.05)
    assert rain_rate(np.float64(75.0)) == rain_rate(np.float64(53.0))


def test_no_echo_gives_no_rain_in_the_archive():
    """An hour of -10 dBZ is 0.0033 mm, less than half the step of 0.01 mm."""
    assert to_precision("APCP", rain_rate(np.float64(-10.0))) == 0.0


def test_a_field_moves_over_the_periodic_box_without_loss():
    one = np.zeros((6, 8))
    one[5, 1] = 1.0
    whole = moved(one, np.array([2.0, -3.0]))
    assert whole[1, 6] == 1.0
    between = moved(one, np.array([0.5, -0.25]))
    # Half a point up crosses the edge; a quarter of a point to the left.
    expected = {(5, 1): 0.375, (0, 1): 0.375, (5, 0): 0.125, (0, 0): 0.125}
    assert {tuple(map(int, at)): between[tuple(at)] for at in np.argwhere(between)} == expected
    rough = generator().random((6, 8))
    shifted = moved(rough, np.array([17.3, -40.8]))
    assert shifted.sum() == pytest.approx(rough.sum())
    assert shifted.min() >= rough.min()


def bell(row: float, column: float) -> np.ndarray:
    """exp(-r^2 / 2 s^2) about a point far from the edges, s = 3 points."""
    rows, columns = np.indices(DOMAIN.shape)
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18.0)


def track(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The mean in time of a bell that moves from a point to another: an integral in closed form."""
    along = (end - start) / np.linalg.norm(end - start)
    rows, columns = np.indices(DOMAIN.shape)
    s = (rows - start[0]) * along[0] + (columns - start[1]) * along[1]
    across = (rows - start[0]) * along[1] - (columns - start[1]) * along[0]
    length, width = np.linalg.norm(end - start), np.sqrt(18.0)
    passed = erf(s / width) - erf((s - length) / width)
    return np.exp(-(across**2) / 18.0) * np.sqrt(np.pi) * width / (2 * length) * passed


def test_a_storm_leaves_a_smooth_track():
    """An hour of bells that move 6 rows and 12 columns, against the integral along the way."""
    start, end = np.array([30.0, 30.0]), np.array([36.0, 42.0])
    found = mean_rate(bell(*start), bell(*end), end - start, 12)
    # Interpolating a field between points widens it a little.
    np.testing.assert_allclose(found, track(start, end), atol=0.02)


def test_what_grows_in_place_gives_half_of_its_last_rate():
    last = generator().random((6, 8))
    np.testing.assert_allclose(mean_rate(0 * last, last, np.zeros(2), 6), last / 2)


def test_rain_follows_the_steering_wind():
    """Two half hours of different winds, which blow storms of 10 mm/h along x and along y."""
    start = hours_of(WORLD, 0)[0]
    winds = [np.array([10.0, 0.0]), np.array([0.0, 5.0]), np.array([0.0, 0.0])]
    states = [
        replace(start, time=start.time + k * timedelta(minutes=30), steering=wind)
        for k, wind in enumerate(winds)
    ]
    # 1,800 s at 10 m/s are 6 points of 3 km.
    places = [np.array(place) for place in ((30.0, 30.0), (30.0, 36.0), (33.0, 36.0))]
    rates = [10.0 * bell(*place) for place in places]
    expected = 5.0 * track(*places[:2]) + 5.0 * track(*places[1:])
    np.testing.assert_allclose(rain_of(DOMAIN, states, rates), expected, atol=0.2)


def test_rain_of_an_hour_is_the_mean_of_its_steps_over_the_box():
    """By the trapezoidal rule: moving rain about neither adds any nor loses any."""
    stream = generator()
    noise = Noise(stream)
    hours = WORLD.hours(hours_of(WORLD, 21)[-1], noise)
    for _ in range(3):
        hour = next(hours)
        assert [state.time for state in hour] == [
            hour[0].time + k * timedelta(minutes=30) for k in range(3)
        ]
        rates = [rain_rate(WORLD.surface.observe(state)["REFC"]) for state in hour]
        first, middle, last = (rate.mean() for rate in rates)
        rain = rain_of(DOMAIN, hour, rates)
        assert rain.mean() == pytest.approx(first / 4 + middle / 2 + last / 4, rel=1e-5)
        assert rain.min() >= 0.0
        assert rain.max() > 1.0


def test_an_hour_begins_where_the_one_before_ended():
    hours = WORLD.hours(hours_of(WORLD, 0)[0], Noise(generator()))
    one, other = next(hours), next(hours)
    assert one[-1] is other[0]
