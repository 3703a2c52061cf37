"""Random fields: their spectra, and their exact step."""

import numpy as np
import pytest
from simulated_world import DOMAIN, generator

from stormdraw.simulated.latents import INDEX, LATENTS, Spectra, white_waves

SPECTRA = Spectra(DOMAIN, 0.5)
CALM = np.zeros(2)


def test_white_noise_is_real_and_of_unit_power():
    waves = white_waves(generator(), (50, *DOMAIN.waves))
    # The points know only the real part: if something else were there, it would be lost.
    np.testing.assert_allclose(DOMAIN.on_waves(DOMAIN.on_points(waves)), waves, atol=1e-5)
    power = np.mean(np.abs(waves) ** 2, axis=0)
    # 50 draws of an exponential distribution: standard error 0.14; more where z is real.
    assert np.mean(power) == pytest.approx(1.0, abs=0.02)
    assert np.mean(power[:, 0]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("latent", [latent for latent in LATENTS if not latent.potential])
def test_fields_have_the_stated_deviations(latent):
    draws = [SPECTRA.draw(stream)[INDEX[latent.name]] for stream in map(generator, range(60))]
    fields = DOMAIN.on_points(np.stack(draws))
    within = np.mean(np.var(fields, axis=(1, 2)))
    assert np.sqrt(within) == pytest.approx(latent.deviation, rel=0.15)
    means = np.mean(fields, axis=(1, 2))
    assert np.sqrt(np.mean(means**2)) == pytest.approx(latent.mean_deviation, rel=0.3, abs=1e-6)


@pytest.mark.parametrize("name", ["streamfunction", "velocity_potential"])
def test_gradients_of_potentials_are_winds_of_that_strength(name):
    draws = [SPECTRA.draw(stream)[INDEX[name]] for stream in map(generator, range(60))]
    waves = np.stack(draws)
    ky, kx = DOMAIN.wavenumbers
    expected = LATENTS[INDEX[name]].deviation
    for k in (kx, ky):
        component = DOMAIN.on_points(1j * k * waves)
        assert np.sqrt(np.mean(component**2)) == pytest.approx(expected, rel=0.15)


def test_a_step_without_noise_advects_the_field():
    """Two points in half an hour, for a field that moves with half the wind."""
    speed = 2 * 2 * DOMAIN.spacing / 1800.0
    waves = SPECTRA.draw(generator())
    # A wave of one length, so that all of it fades alike.
    one = np.zeros_like(waves)
    one[:, DOMAIN.waves[0] // 2, 4] = waves[:, DOMAIN.waves[0] // 2, 4]
    later = SPECTRA.step(one, np.array([speed, 0.0]), np.zeros_like(one))
    index = INDEX["temperature"]
    before, after = DOMAIN.on_points(one[index]), DOMAIN.on_points(later[index])
    k, latent = DOMAIN.wavenumbers[1][0, 4], LATENTS[index]
    hours = latent.relaxation * (1 + (k * latent.length) ** 2) ** -0.6
    expected = np.exp(-0.5 / hours) * np.roll(before, 2, axis=1)
    np.testing.assert_allclose(after, expected, atol=2e-6)


def test_steps_keep_the_climate():
    """The variance of each wave stays what it was: E|X'|^2 = E|X|^2 = S."""
    streams = [generator(seed) for seed in range(150)]
    power = np.zeros(SPECTRA.shape)
    for stream in streams:
        waves = SPECTRA.draw(stream)
        for _ in range(2):
            waves = SPECTRA.step(waves, np.array([9.0, 4.0]), white_waves(stream, SPECTRA.shape))
        power += np.abs(waves) ** 2 / len(streams)
    expected = SPECTRA.amplitude**2
    known = expected > 0
    ratio = power[known] / expected[known]
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.01)
    assert np.std(ratio) < 3 / np.sqrt(len(streams))


def test_noise_forgets_the_state():
    """After many relaxation times, nothing of the start is left."""
    forgetful = Spectra(DOMAIN, 5000.0)
    white = white_waves(generator(), forgetful.shape)
    from_one = forgetful.step(forgetful.draw(generator(1)), CALM, white)
    from_other = forgetful.step(forgetful.draw(generator(2)), CALM, white)
    np.testing.assert_allclose(from_one, from_other, atol=1e-6)
