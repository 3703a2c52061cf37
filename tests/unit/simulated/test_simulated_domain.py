"""The box around the window, and fields on it as points and as waves."""

import numpy as np
import pytest
from simulated_world import DOMAIN, SEED

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.simulated.domain import MARGIN, terrain


def test_the_window_is_a_crop_of_hrrr():
    crop = HRRR.crop(slice(500, 524), slice(900, 932))
    assert DOMAIN.window.shape == crop.shape == (24, 32)
    # A microdegree is 0.11 m.
    np.testing.assert_allclose(DOMAIN.window.x, crop.x, atol=0.15)
    np.testing.assert_allclose(DOMAIN.window.y, crop.y, atol=0.15)


def test_the_box_reaches_beyond_the_window_on_all_sides():
    box, window = DOMAIN.box, DOMAIN.window
    for outer, inner in ((box.x, window.x), (box.y, window.y)):
        assert inner[0] - outer[0] >= MARGIN * 3000.0 - 1.0
        assert outer[-1] - inner[-1] >= MARGIN * 3000.0 - 1.0
    rows, columns = DOMAIN.seen(np.stack(np.indices(DOMAIN.shape)))
    assert box.y[rows[0, 0]] == pytest.approx(window.y[0])
    assert box.x[columns[-1, -1]] == pytest.approx(window.x[-1])


def test_a_single_wave_has_a_single_coefficient():
    """cos(a) is half of e^(ia) and half of its conjugate, which is not kept."""
    row, column = np.indices(DOMAIN.shape)
    rows, columns = DOMAIN.shape
    waves = DOMAIN.on_waves(np.cos(2 * np.pi * (3 * column / columns - 2 * row / rows)))
    expected = np.zeros(DOMAIN.waves)
    ky, kx = DOMAIN.wavenumbers
    expected[DOMAIN.waves[0] // 2 - 2, 3] = 0.5
    np.testing.assert_allclose(waves, expected, atol=1e-12)
    assert kx[0, 3] == pytest.approx(2 * np.pi * 3 / (columns * 3000.0))
    assert ky[DOMAIN.waves[0] // 2 - 2, 0] == pytest.approx(-2 * np.pi * 2 / (rows * 3000.0))


def test_points_and_waves_agree_for_waves_longer_than_three_points():
    rng = np.random.default_rng(0)
    waves = DOMAIN.on_waves(rng.standard_normal((2, *DOMAIN.shape)))
    np.testing.assert_allclose(DOMAIN.on_waves(DOMAIN.on_points(waves)), waves, atol=1e-12)


def test_the_terrain_is_fixed_by_the_seed():
    height = terrain(DOMAIN, SEED)
    np.testing.assert_array_equal(height, terrain(DOMAIN, SEED))
    assert not np.array_equal(height, terrain(DOMAIN, SEED + 1))
    assert 0.0 < height.min() < height.max() < 1500.0
