"""Convective cells: their bells, their motion, their end."""

import numpy as np
import pytest
from simulated_world import DOMAIN, generator

from stormdraw.simulated.cells import CAPACITY, Cells, candidates, sum_of_bells


def cells(count: int) -> Cells:
    return candidates(DOMAIN, count, generator())[0]


def test_a_sum_of_bells_by_a_loop_over_points():
    some = cells(5)
    height = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    length_y, length_x = DOMAIN.lengths
    expected = np.zeros(DOMAIN.shape)
    for n in range(5):
        for row in range(DOMAIN.shape[0]):
            dy = abs(row * DOMAIN.spacing - some.y[n])
            dx = np.abs(np.arange(DOMAIN.shape[1]) * DOMAIN.spacing - some.x[n])
            squared = min(dy, length_y - dy) ** 2 + np.minimum(dx, length_x - dx) ** 2
            expected[row] += height[n] * np.exp(-squared / (2 * some.radius[n] ** 2))
    summed = sum_of_bells(DOMAIN, some.x, some.y, height, some.radius)
    np.testing.assert_allclose(summed, expected, atol=1e-5)


def test_no_cells_are_nowhere():
    none = Cells.none()
    assert (sum_of_bells(DOMAIN, none.x, none.y, none.peak, none.radius) == 0.0).all()


def test_a_cell_moves_with_the_steering_wind_and_its_own():
    """10 + u m/s for half an hour, around the edge of the box; its own motion fades by a third."""
    some = cells(4)
    still = np.zeros(8)
    moved = some.stepped(DOMAIN, np.array([10.0, -5.0]), np.ones(4), 0.5, still)
    fading = np.exp(-0.5 / 1.5)
    u, v = fading * some.u, fading * some.v
    np.testing.assert_allclose(moved.u, u)
    np.testing.assert_allclose(moved.x, (some.x + 1800.0 * (10.0 + u)) % DOMAIN.lengths[1])
    np.testing.assert_allclose(moved.y, (some.y + 1800.0 * (-5.0 + v)) % DOMAIN.lengths[0])
    np.testing.assert_allclose(moved.age, 0.5)


def test_random_motion_keeps_its_variance():
    many = cells(20000)
    for seed in range(3):
        z = generator(seed).standard_normal(40000)
        many = many.stepped(DOMAIN, np.zeros(2), np.zeros(20000), 0.5, z)
    assert np.std(many.u) == pytest.approx(1.8, rel=0.03)


def test_cells_die_at_the_end_of_their_life():
    some = cells(50)
    aged = some.stepped(DOMAIN, np.zeros(2), np.full(50, 4.0), 0.5, np.zeros(100))
    assert len(aged) == np.sum(some.lifetime > 2.0)
    assert 0 < len(aged) < 50


def test_cells_live_one_to_four_hours():
    lifetimes = cells(5000).lifetime
    assert lifetimes.min() >= 0.8
    assert lifetimes.max() <= 4.5
    assert np.mean((lifetimes > 1.0) & (lifetimes < 4.0)) > 0.85


def test_strength_rises_and_falls():
    some = cells(1)
    ages = np.linspace(0.0, 1.0, 11) * some.lifetime
    strength = [Cells(**(vars(some) | {"age": age[None]})).strength()[0] for age in ages]
    assert [strength[0], strength[5], strength[10]] == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)
    assert np.all(np.diff(strength[:6]) > 0)
    assert np.all(np.diff(strength[5:]) < 0)


def test_a_table_keeps_every_cell():
    some = cells(7)
    again = Cells.from_table(some.table())
    for name, values in vars(some).items():
        np.testing.assert_array_equal(getattr(again, name), values)
    assert len(Cells.from_table(Cells.none().table())) == 0


def test_cells_beyond_the_capacity_are_dropped():
    full = cells(CAPACITY - 1).join(cells(10))
    assert len(full) == CAPACITY
