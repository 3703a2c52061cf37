import numpy as np
import pytest

from stormdraw.spectra import variance_spectrum, wavelengths, wavenumber_bands


@pytest.mark.parametrize("shape", [(12, 12), (17, 40), (31, 9)])
def test_adds_up_to_the_variance(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(20260608)
    field = 290.0 + random.normal(size=shape)
    assert variance_spectrum(field).sum() == pytest.approx(field.var(), rel=1e-5)


def test_a_cosine_falls_into_one_band() -> None:
    # Mode 6 along the shorter side: six half waves of 40 points, 13.3 points long.
    y = np.arange(40) + 0.5
    field = np.repeat(np.cos(np.pi * 6 * y / 40)[:, None], 60, axis=1)
    spectrum = variance_spectrum(field)
    assert np.argmax(spectrum) == 6
    assert spectrum[6] == pytest.approx(0.5, rel=1e-5)
    shortest, longest = wavelengths((40, 60), 3.0)[[6, 5]]
    assert shortest < 3.0 * 2 * 40 / 6 < longest


def test_equals_the_sum_over_cosines() -> None:
    random = np.random.default_rng(20260608)
    shape = (7, 9)
    field = random.normal(size=shape)
    bands, count = wavenumber_bands(shape)
    expected = np.zeros(count)
    y, x = (np.arange(size) + 0.5 for size in shape)
    for i, j in np.ndindex(shape):
        if (i, j) == (0, 0):
            continue
        wave = np.outer(np.cos(np.pi * i * y / shape[0]), np.cos(np.pi * j * x / shape[1]))
        wave /= np.sqrt((wave**2).sum())
        expected[bands[i, j]] += (field * wave).sum() ** 2 / field.size
    np.testing.assert_allclose(variance_spectrum(field), expected, rtol=1e-4)


def test_a_gap_has_the_mean_of_the_other_points() -> None:
    random = np.random.default_rng(20260608)
    field, valid = 290.0 + random.normal(size=(12, 17)), random.uniform(size=(12, 17)) < 0.8
    filled = np.where(valid, field, field[valid].mean())
    expected = variance_spectrum(filled) * field.size / valid.sum()
    holed = np.where(valid, field, np.nan)
    found = variance_spectrum(holed, valid=valid)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    assert found.sum() == pytest.approx(field[valid].var(), rel=1e-5)


def test_a_trend_does_not_leak_into_short_waves() -> None:
    """What a Fourier transform would do, since the field's two ends differ."""
    ramp = np.repeat(np.linspace(0.0, 1.0, 64)[:, None], 64, axis=1)
    spectrum = variance_spectrum(ramp)
    fourier = np.abs(np.fft.fft2(ramp - ramp.mean()))[32, 0] ** 2 / 64**4
    assert spectrum[32:].sum() < 1e-4 * ramp.var()
    assert fourier > 1e-4 * ramp.var()


def test_white_noise_grows_with_the_number_of_modes() -> None:
    field = np.random.default_rng(2).normal(size=(128, 128))
    bands, count = wavenumber_bands(field.shape)
    modes = np.bincount(bands.ravel(), minlength=count)
    each = (variance_spectrum(field) / modes)[10:100]
    np.testing.assert_allclose(each * field.size, 1.0, atol=0.5)
