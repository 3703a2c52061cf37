"""What can be seen of the hidden state."""

from dataclasses import replace

import numpy as np
import pytest
from simulated_world import DOMAIN, START, WORLD, generator, hours_of

from stormdraw.simulated.cells import Cells
from stormdraw.simulated.surface import to_precision
from stormdraw.variables import VARIABLES

SURFACE = WORLD.surface


@pytest.fixture(scope="module")
def days():
    """Each variable of three days after a first one, (time, y, x) on the box, rounded."""
    seen = [SURFACE.observe(state) for state in hours_of(WORLD, 95)[24:]]
    return {name: np.stack([to_precision(name, hour[name]) for hour in seen]) for name in seen[0]}


def test_values_are_realistic(days):
    ranges = {
        "REFC": (-10.0, 70.0),
        "T2M": (278.0, 313.0),
        "D2M": (270.0, 301.0),
        "U10": (-25.0, 25.0),
        "V10": (-25.0, 25.0),
        "CAPE": (0.0, 5000.0),
        "CIN": (-300.0, 0.0),
    }
    for name, (low, high) in ranges.items():
        assert days[name].min() >= low
        assert days[name].max() <= high
    assert days["CAPE"].max() > 1500.0
    assert days["CIN"].min() < -80.0
    assert np.hypot(days["U10"], days["V10"]).mean() == pytest.approx(4.0, abs=1.5)


def test_dew_point_never_exceeds_temperature(days):
    assert (days["D2M"] <= days["T2M"]).all()


def test_cape_and_cin_are_zero_together_in_many_places(days):
    empty = days["CAPE"] == 0.0
    assert 0.1 < empty.mean() < 0.9
    assert (days["CIN"][empty] == 0.0).all()


def test_most_points_have_no_echo_but_storms_are_strong(days):
    assert 0.6 < (days["REFC"] == -10.0).mean() < 0.95
    assert 45.0 < days["REFC"].max() < 67.0


def test_afternoons_are_warmer_than_nights(days):
    """Sunrise is about 11 UTC; 21 UTC is mid-afternoon."""
    temperature = days["T2M"].mean(axis=(1, 2)).reshape(3, 24)
    warming = temperature[:, 21] - temperature[:, 11]
    assert (warming > 5.0).all()
    assert (warming < 16.0).all()


def test_storms_make_an_echo_a_cold_pool_and_a_gust_away_from_it():
    """One mature cell in the middle of a box without wind or random fields."""
    state = WORLD.start(START, generator())
    middle_y, middle_x = (length / 2 for length in DOMAIN.lengths)
    numbers = {
        "x": middle_x,
        "y": middle_y,
        "u": 0.0,
        "v": 0.0,
        "age": 1.0,
        "lifetime": 2.0,
        "peak": 55.0,
        "radius": 5000.0,
    }
    cell = Cells(**{name: np.array([value]) for name, value in numbers.items()})
    calm = replace(state, latents=0 * state.latents, steering=np.zeros(2))
    activity = SURFACE.air(replace(calm, cells=cell)).activity
    pool = DOMAIN.on_waves(5.0 * activity)
    before = SURFACE.observe(calm)
    after = SURFACE.observe(replace(calm, cells=cell, pool=pool))
    row, column = DOMAIN.shape[0] // 2, DOMAIN.shape[1] // 2
    # The trail adds 10 log10(1 + 10^-2.2 + 10^-2.8) = 0.03 dB, then 55.03 is past the knee.
    assert after["REFC"][row, column] == pytest.approx(55.03, abs=0.01)
    assert to_precision("REFC", before["REFC"]).max() == -10.0
    # 9 tanh(5 / 9) = 4.54 K.
    cooling = before["T2M"] - after["T2M"]
    assert cooling[row, column] == pytest.approx(4.54, abs=0.01)
    assert after["CAPE"][row, column] <= before["CAPE"][row, column]
    assert after["U10"][row, column + 4] > 1.0
    assert after["U10"][row, column - 4] < -1.0
    assert after["V10"][row + 4, column] > 1.0


@pytest.mark.parametrize("name", ["REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"])
def test_precision_is_that_of_the_table(days, name):
    steps = days[name] / VARIABLES[name].precision
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-8)


def test_rounding_to_the_nearest_step_within_bounds():
    assert to_precision("REFC", np.array([-53.0, 12.34])).tolist() == [-10.0, 12.3]
    assert to_precision("CAPE", np.array([-3.0, 14.9, 1235.1])).tolist() == [0.0, 10.0, 1240.0]
    assert not np.signbit(to_precision("U10", np.array([-0.04])))[0]
