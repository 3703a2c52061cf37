"""The cosine schedule and the identities between noisy state, noise, clean state and velocity."""

import math

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from stormdraw.models.noise import NoiseSchedule, cosine_betas


def closed_form(fraction: float) -> float:
    """alpha_bar of the cosine schedule, equation 17 of Nichol and Dhariwal (2021)."""
    start = math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    return math.cos((fraction + 0.008) / 1.008 * math.pi / 2) ** 2 / start


def test_alpha_bar_is_the_closed_form_until_beta_is_clipped() -> None:
    alpha_bar = np.cumprod(1 - cosine_betas(1000, 0.999))
    for step in (0, 1, 10, 250, 500, 900, 998):
        assert alpha_bar[step] == pytest.approx(closed_form((step + 1) / 1000), rel=1e-9)


@pytest.mark.parametrize(
    ("largest", "terminal", "relative"), [(0.999, 2.4e-9, 0.02), (0.02, 0.0032, 0.01)]
)
def test_terminal_alpha_bar(largest: float, terminal: float, relative: float) -> None:
    betas = cosine_betas(1000, largest)
    assert betas.max() == pytest.approx(largest)
    assert np.prod(1 - betas) == pytest.approx(terminal, rel=relative)


def test_equal_to_diffusers() -> None:
    theirs = DDPMScheduler(num_train_timesteps=100, beta_schedule="squaredcos_cap_v2")
    np.testing.assert_allclose(cosine_betas(100, 0.999), theirs.betas.numpy(), rtol=1e-5)


def test_signal_and_noise_keep_unit_variance() -> None:
    schedule = NoiseSchedule(cosine_betas(1000, 0.02))
    torch.testing.assert_close(schedule.alpha**2 + schedule.sigma**2, torch.ones(1000))
    expected = torch.log(schedule.alpha.double() / schedule.sigma.double()).numpy()
    np.testing.assert_allclose(schedule.log_snr(), expected, rtol=1e-4, atol=1e-5)
    assert (np.diff(schedule.log_snr()) < 0).all()


def test_adding_noise_has_the_closed_form_moments() -> None:
    schedule = NoiseSchedule(cosine_betas(1000, 0.02))
    noise = torch.randn(4, 2, 200, 200, generator=torch.Generator().manual_seed(1))
    timestep = torch.tensor([0, 300, 600, 999])
    noisy = schedule.add_noise(torch.full_like(noise, 2.0), noise, timestep)
    torch.testing.assert_close(
        noisy.mean(dim=(1, 2, 3)), 2.0 * schedule.alpha[timestep], atol=0.02, rtol=0
    )
    torch.testing.assert_close(
        noisy.std(dim=(1, 2, 3)), schedule.sigma[timestep], atol=0.01, rtol=0
    )


@pytest.mark.parametrize("largest", [0.02, 0.999])
def test_conversions_undo_each_other(largest: float) -> None:
    schedule = NoiseSchedule(cosine_betas(1000, largest)).double()
    generator = torch.Generator().manual_seed(2)
    shape = (5, 2, 3, 4)
    clean = torch.randn(shape, generator=generator, dtype=torch.float64)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    timestep = torch.tensor([0, 1, 500, 900, 990])
    noisy = schedule.add_noise(clean, noise, timestep)
    velocity = schedule.velocity(clean, noise, timestep)
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(schedule.clean_from_noise(noisy, noise, timestep), clean, **close)
    torch.testing.assert_close(
        schedule.clean_from_velocity(noisy, velocity, timestep), clean, **close
    )
    torch.testing.assert_close(
        schedule.noise_from_velocity(noisy, velocity, timestep), noise, **close
    )
    torch.testing.assert_close(schedule.goal(clean, noise, timestep), velocity)
    by_noise = NoiseSchedule(cosine_betas(1000, largest), "noise")
    assert by_noise.goal(clean, noise, timestep) is noise
