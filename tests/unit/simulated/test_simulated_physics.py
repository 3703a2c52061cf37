"""The formulas at a point: hand-worked values and bounds."""

import numpy as np
import pytest

from stormdraw.simulated.physics import birth_rate, cape_of, cin_of, dewpoint_below

# A point each: (temperature K, dew point K, lid).
AIR = [(303.0, 293.0, 0.0), (290.0, 289.0, 0.5), (300.0, 280.0, -1.0)]
T, D, LID = (np.array(column) for column in zip(*AIR, strict=True))


def test_cape_of_hot_and_moist_of_cool_and_of_dry_air():
    """b = 0.9 x 9 + 1.1 x 5.5 = 14.15 in the first: 5000 tanh(0.7924) = 3299; b < 0 else."""
    np.testing.assert_allclose(cape_of(T, D, LID), [3299.0, 0.0, 0.0], atol=1.0)


def test_cape_is_exactly_zero_where_there_is_next_to_none():
    temperature = np.linspace(293.9, 294.1, 50)
    cape = cape_of(temperature, np.full(50, 287.5), np.zeros(50))
    assert ((cape == 0.0) | (cape >= 10.0)).all()
    assert (cape == 0.0).any()
    assert (cape > 0.0).any()


def test_cin_needs_cape_and_a_lid():
    """n = 1.2 - 0.33 x 1 = 0.87: 55 (0.87 + sqrt(0.87^2 + 1)) / 2 = 60.4, of which 1000/1060."""
    temperature, cape = np.full(2, 297.0), np.array([1000.0, 0.0])
    np.testing.assert_allclose(cin_of(temperature, np.zeros(2), cape), [-56.97, 0.0], atol=0.1)
    cold = cin_of(np.full(1, 280.0), np.full(1, 3.0), np.full(1, 500.0))
    assert cold == pytest.approx(-300.0)


def test_dew_point_stays_below_temperature():
    temperature = np.full(101, 290.0)
    wanted = np.linspace(270.0, 310.0, 101)
    dewpoint = dewpoint_below(temperature, wanted)
    assert (dewpoint < temperature).all()
    assert (np.diff(dewpoint) > 0).all()
    assert dewpoint[0] == pytest.approx(270.0, abs=0.01)


def test_storms_need_cape_and_like_convergence_and_the_day():
    def rate(cape: float, cin: float, convergence: float, heat: float) -> float:
        return float(birth_rate(*(np.array(value) for value in (cape, cin, convergence, heat))))

    assert rate(0.0, 0.0, 1e-3, 0.6) == 0.0
    assert rate(2500.0, 0.0, 3e-4, 0.6) == pytest.approx(1.0)
    assert rate(2500.0, -50.0, 3e-4, 0.6) == pytest.approx(np.exp(-1.0))
    assert rate(2500.0, 0.0, -1e-4, 0.6) == pytest.approx(0.08)
    assert rate(2500.0, 0.0, 3e-4, 0.0) == pytest.approx(0.35)
    assert rate(9000.0, 0.0, 1e-3, 0.9) == 1.0
