"""Noise of one's own, and noise in part shared."""

from datetime import datetime

import numpy as np
import pytest
from simulated_world import DOMAIN, generator

from stormdraw.simulated.noise import Noise, SharedNoise

TIME = datetime(2026, 6, 1, 12)
SHAPE = (3, *DOMAIN.waves)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.real(np.vdot(one, other)) / (np.linalg.norm(one) * np.linalg.norm(other)))


def test_two_runs_share_as_much_of_their_noise_as_they_are_told():
    one = Noise(generator(1), SharedNoise(0, "label"), 0.7)
    other = Noise(generator(2), SharedNoise(0, "label"), 0.7)
    first, second = (noise.white_waves(TIME, SHAPE) for noise in (one, other))
    assert np.mean(np.abs(first) ** 2) == pytest.approx(1.0, abs=0.05)
    assert correlation(first, second) == pytest.approx(0.7, abs=0.05)


def test_shared_noise_depends_on_the_time_and_on_nothing_else():
    shared = SharedNoise(0, "label")
    before = shared.white_waves(TIME, SHAPE)
    shared.white_waves(datetime(2026, 6, 1, 13), SHAPE)
    np.testing.assert_array_equal(before, SharedNoise(0, "label").white_waves(TIME, SHAPE))
    later = shared.white_waves(datetime(2026, 6, 1, 13), SHAPE)
    assert abs(correlation(before, later)) < 0.05


def test_own_noise_is_independent():
    first = Noise(generator(1)).white_waves(TIME, SHAPE)
    second = Noise(generator(2)).white_waves(TIME, SHAPE)
    assert abs(correlation(first, second)) < 0.05


def test_shared_and_own_events_add_up():
    """Poisson numbers of mean 40, whatever the share: standard error 0.45 over 200 draws."""
    noise = Noise(generator(1), SharedNoise(0, "label"), 0.7)
    counts = [
        sum(count for count, _ in noise.births(datetime(2026, 6, 1, hour, minute), 40.0))
        for hour in range(20)
        for minute in range(10)
    ]
    assert np.mean(counts) == pytest.approx(40.0, abs=2.0)
    assert np.var(counts) == pytest.approx(40.0, rel=0.35)
