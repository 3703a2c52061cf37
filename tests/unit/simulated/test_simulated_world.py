"""The world goes on from its state, and from nothing else."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from simulated_world import DOMAIN, WORLD, generator, hours_of

from stormdraw.simulated.cells import Cells
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.physics import birth_rate
from stormdraw.simulated.state import from_dataset, to_dataset
from stormdraw.times import hours


@pytest.fixture(scope="module")
def afternoon():
    """The hour with the most storms of two days."""
    return max(hours_of(WORLD, 48), key=lambda state: len(state.cells))


def assert_same(one, other):
    assert one.time == other.time
    for name in ("steering", "latents", "pool", "heat"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.cells.table(), other.cells.table())


def test_a_run_continues_from_a_saved_state(afternoon, tmp_path):
    """The same noise after a trip through a file gives the same world, bit for bit."""
    earlier = hours_of(WORLD, 1)[0]
    to_dataset([earlier, afternoon]).to_netcdf(tmp_path / "world.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "world.nc", engine="netcdf4") as saved:
        again = from_dataset(saved, afternoon.time)
    assert_same(again, afternoon)
    after = [
        next(itertools.islice(WORLD.hourly(state, Noise(generator(9))), 1, None))
        for state in (afternoon, again)
    ]
    assert_same(*after)
    assert after[0].time == afternoon.time + hours(2)


def test_different_noise_gives_a_different_world(afternoon):
    one, other = (next(WORLD.hourly(afternoon, Noise(generator(seed)))) for seed in (1, 2))
    difference = WORLD.surface.observe(one)["T2M"] - WORLD.surface.observe(other)["T2M"]
    assert 0.2 < np.sqrt(np.mean(difference**2)) < 2.0


def test_there_are_storms_and_they_move_with_the_wind(afternoon):
    """Those that live on after an hour have moved 20 to 50 km or so, downwind."""
    assert len(afternoon.cells) > 3
    later = next(WORLD.hourly(afternoon, Noise(generator())))
    lifetimes = later.cells.lifetime
    index = [np.flatnonzero(lifetimes == life) for life in afternoon.cells.lifetime]
    pairs = [(n, found[0]) for n, found in enumerate(index) if len(found)]
    assert pairs
    length_y, length_x = DOMAIN.lengths
    for n, m in pairs:
        dx = (later.cells.x[m] - afternoon.cells.x[n] + length_x / 2) % length_x - length_x / 2
        dy = (later.cells.y[m] - afternoon.cells.y[n] + length_y / 2) % length_y - length_y / 2
        assert 15e3 < np.hypot(dx, dy) < 60e3
        assert dx * afternoon.steering[0] + dy * afternoon.steering[1] > 0


def test_as_many_storms_are_born_as_the_rate_says(afternoon):
    """The mean number of births in half an hour is the integral of the rate over the box."""
    clear = replace(afternoon, cells=Cells.none())
    air = WORLD.surface.air(clear)
    share = birth_rate(air.cape, air.cin, air.convergence, clear.heat)
    # Half an hour, points of 9 km^2.
    expected = WORLD.surface.physics.birth_rate * 0.5 * 9.0 * float(share.sum())
    noise = Noise(generator())
    born = [len(WORLD.step(clear, noise).cells) for _ in range(300)]
    assert expected > 0.5
    assert np.mean(born) == pytest.approx(expected, abs=4 * np.sqrt(expected / 300))


def test_storms_die_out_without_cape(afternoon):
    """A cold, dry night with no births: nobody outlives four and a half hours."""
    cold = replace(WORLD.surface.physics, temperature=270.0, dewpoint=255.0)
    arctic = replace(WORLD, surface=replace(WORLD.surface, physics=cold))
    states = itertools.islice(arctic.hourly(afternoon, Noise(generator())), 5)
    counts = [len(state.cells) for state in states]
    assert counts[-1] == 0
    assert counts == sorted(counts, reverse=True)


def test_ground_warms_by_day_and_cools_at_night():
    states = hours_of(WORLD, 48)
    heat = np.array([state.heat.mean() for state in states])
    # 11 to 19 UTC is morning there, 1 to 10 UTC night.
    assert np.all(np.diff(heat[36:43]) > 0)
    assert np.all(np.diff(heat[26:34]) < 0)
