"""Samplers, against denoisers that are known exactly: of normal variables, and of two peaks."""

import math
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, Sampler
from stormdraw.ensembles.samplers import Denoise, draw, sampling_levels, solver_timesteps
from stormdraw.errors import StormdrawError
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.noise_settings import DiffusionPrediction as Prediction
from stormdraw.models.white_noise import WhiteNoise, amplified, torch_noise

CPU = torch.device("cpu")

# Of three channels; (1, 3, 1, 1).
MEAN = torch.tensor([1.5, 0.0, -0.5])[None, :, None, None]
STD = torch.tensor([0.2, 1.0, 0.5])[None, :, None, None]

UNCLIPPED = cosine_betas(1000, 0.999)
CLIPPED = cosine_betas(1000, 0.02)


def exact(schedule: NoiseSchedule, error: float = 0.0) -> Denoise:
    """What a perfect network says of N(MEAN, STD^2), plus a constant error.

    E[x_0 | x_t] = mu + alpha s^2 / (alpha^2 s^2 + sigma^2) (x_t - alpha mu), from the joint normal
    distribution of x_0 and x_t = alpha x_0 + sigma eps.
    """

    def denoise(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        alpha = schedule.alpha.double()[timestep][:, None, None, None]
        sigma = schedule.sigma.double()[timestep][:, None, None, None]
        gain = alpha * STD**2 / (alpha**2 * STD**2 + sigma**2)
        clean = MEAN + gain * (noisy - alpha * MEAN)
        noise = (noisy - alpha * clean) / sigma
        predicted = noise if schedule.prediction == "noise" else alpha * noise - sigma * clean
        return (predicted + error).float()

    return denoise


def sample(
    prediction: Prediction,
    sampler: Sampler,
    steps: int,
    guess: torch.Tensor,
    betas: object = None,
    error: float = 0.0,
    eta: float = 0.0,
) -> torch.Tensor:
    """Four samples of 64 x 64 points."""
    if betas is None:
        betas = UNCLIPPED if prediction == "v" else CLIPPED
    schedule = NoiseSchedule(betas, prediction)  # type: ignore[arg-type]
    return draw(
        exact(schedule, error),
        *(schedule, sampler, steps),
        guess.expand(4, 3, 64, 64),
        WhiteNoise(range(4), CPU),
        eta=eta,
    )


def moments(samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel over 16,384 values, in units of STD."""
    mean = (samples.mean(dim=(0, 2, 3)) - MEAN.flatten()) / STD.flatten()
    return mean, samples.std(dim=(0, 2, 3)) / STD.flatten()


# The sampling error of the mean is 0.008 standard deviations, that of the spread 0.6 %. What the
# solver adds at 8 steps is at most 3 % (its error is of second order), ancestral sampling 1 %.
@pytest.mark.parametrize("prediction", ["v", "noise"])
@pytest.mark.parametrize(
    ("sampler", "steps", "tolerance"),
    [("dpm_solver++", 8, 0.045), ("dpm_solver++", 20, 0.025), ("ddpm", 1000, 0.025)],
)
def test_a_known_gaussian_comes_back(
    prediction: Prediction, sampler: Sampler, steps: int, tolerance: float
) -> None:
    mean, std = moments(sample(prediction, sampler, steps, guess=MEAN))
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=tolerance, rtol=0)


# Of a normal distribution a perfect network is linear in its noisy state, and so is each step in
# its noise: samples depart from the mean in proportion to all noise together, channel by channel.
@pytest.mark.parametrize(
    ("sampler", "steps", "eta"), [("dpm_solver++", 8, 0.0), ("ddim", 50, 0.5), ("ddpm", 50, 0.0)]
)
def test_the_spread_grows_with_the_amplitude_of_the_noise(
    sampler: Sampler, steps: int, eta: float
) -> None:
    schedule, guess = NoiseSchedule(UNCLIPPED), MEAN.expand(4, 3, 64, 64)

    def departures(amplitude: tuple[float, ...]) -> torch.Tensor:
        white = amplified(WhiteNoise(range(4), CPU), amplitude, CPU)
        how = (exact(schedule), schedule, sampler, steps, guess, white)
        return draw(*how, eta=eta) - MEAN  # type: ignore[arg-type]

    whole = departures((1.0,))
    each = torch.tensor([0.5, 1.0, 1.5])[:, None, None]
    torch.testing.assert_close(departures((0.5, 1.0, 1.5)), each * whole, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(departures((1.2,)), 1.2 * whole, rtol=1e-4, atol=1e-4)
    plain = draw(
        exact(schedule),
        schedule,
        sampler,
        steps,
        guess,
        WhiteNoise(range(4), CPU),
        eta=eta,
    )
    assert torch.equal(plain - MEAN, whole)


def two_peaks(schedule: NoiseSchedule, spread: float, share: float) -> Denoise:
    """What a perfect network says of peaks at -1 and 1, N(-1, s^2) and, with this share, N(1, s^2).

    Of the noisy state, too, each peak is normal: N(alpha mu, alpha^2 s^2 + sigma^2). By Bayes, the
    clean state is expected where each of them has it, by the chance that it is of this peak.
    """

    def denoise(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        alpha = schedule.alpha.double()[timestep][:, None, None, None]
        sigma = schedule.sigma.double()[timestep][:, None, None, None]
        variance = alpha**2 * spread**2 + sigma**2
        # log(p_1 / p_-1) of two normal densities of one variance.
        upper = torch.sigmoid(math.log(share / (1 - share)) + 2 * alpha * noisy / variance)
        gain = alpha * spread**2 / variance
        clean = (2 * upper - 1) * (1 - gain * alpha) + gain * noisy
        return (alpha * (noisy - alpha * clean) / sigma - sigma * clean).float()

    return denoise


def drawn_of_two_peaks(steps: int, spread: float, share: float) -> tuple[float, float, float]:
    """The standard deviation about each peak over the true one, and the share of the upper one."""
    schedule = NoiseSchedule(UNCLIPPED)
    drawn = draw(
        two_peaks(schedule, spread, share),
        *(schedule, "dpm_solver++", steps),
        torch.zeros(1, 1, 150, 200),
        WhiteNoise([1], CPU),
    ).flatten()
    upper = drawn > 0
    parts = [float(drawn[chosen].std()) / spread for chosen in (~upper, upper)]
    return parts[0], parts[1], float(upper.double().mean())


# 30,000 values: sampling errors are 0.6 % of the spread about a peak of half of them, and 0.003 of
# a share. What is left is the solver's: fewer steps than the default's are too few.
@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("share", [0.5, 0.3])
def test_the_default_steps_keep_the_spread_within_peaks(spread: float, share: float) -> None:
    *within, upper = drawn_of_two_peaks(DEFAULT_STEPS, spread, share)
    assert within == pytest.approx([1.0, 1.0], abs=0.09)
    assert upper == pytest.approx(share, abs=0.015)


def test_fewer_steps_spread_too_far_within_peaks() -> None:
    assert drawn_of_two_peaks(6, 0.2, 0.3)[1] > 1.4
    assert drawn_of_two_peaks(8, 0.2, 0.3)[1] > 1.12
    assert drawn_of_two_peaks(20, 0.2, 0.3)[1] < 1.03


# DDIM's steps are even in time, which takes more of them (and its error is of first order).
@pytest.mark.parametrize("prediction", ["v", "noise"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_brings_a_known_gaussian_back(prediction: Prediction, eta: float) -> None:
    mean, std = moments(sample(prediction, "ddim", 250, guess=MEAN, eta=eta))
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=0.045, rtol=0)


def test_ddim_without_noise_draws_nothing_on_the_way() -> None:
    def draws(sampler: Sampler, eta: float) -> int:
        schedule, guess, shapes = NoiseSchedule(UNCLIPPED), torch.zeros(1, 3, 4, 4), []

        def white(shape: tuple[int, ...]) -> torch.Tensor:
            shapes.append(shape)
            return torch.randn(1, *shape)

        draw(exact(schedule), schedule, sampler, 4, guess, white, eta=eta)
        assert set(shapes) == {(3, 4, 4)}
        return len(shapes)

    assert draws("ddim", 0.0) == draws("dpm_solver++", 0.0) == 1
    # None in the last of the four steps, which ends without noise.
    assert draws("ddim", 1.0) == draws("ddpm", 0.0) == 1 + 3


# What diffusers' schedulers make of the same noise and the same network. They take DDIM's steps of
# divisors of the timesteps only.
@pytest.mark.parametrize("prediction", ["v", "noise"])
@pytest.mark.parametrize(
    ("sampler", "steps", "eta"),
    [
        *(("ddim", 10, 0.0), ("ddim", 50, 0.6), ("ddpm", 8, 0.0), ("ddpm", 300, 0.0)),
        *(("dpm_solver++", 1, 0.0), ("dpm_solver++", 3, 0.0), ("dpm_solver++", 20, 0.0)),
    ],
)
def test_the_way_is_that_of_diffusers(
    prediction: Prediction, sampler: Sampler, steps: int, eta: float
) -> None:
    schedule = NoiseSchedule(UNCLIPPED if prediction == "v" else CLIPPED, prediction)
    denoise = exact(schedule)
    scheduler = of_diffusers(schedule, sampler, steps)
    generator = torch.Generator().manual_seed(5)
    guess = torch.zeros(2, 3, 9, 8)
    noise = torch.randn(guess.shape, generator=generator)
    noisy = schedule.add_noise(guess, noise, torch.tensor([999, 999]))
    how = {"eta": eta} if sampler == "ddim" else {}
    for timestep in scheduler.timesteps:
        predicted = denoise(noisy, timestep.expand(2))
        noisy = scheduler.step(predicted, timestep, noisy, generator=generator, **how).prev_sample
    white = torch_noise(2, torch.Generator().manual_seed(5))
    ours = draw(denoise, schedule, sampler, steps, guess, white, eta=eta)
    # They form the products of alphas in single precision, which at the noisy end loses digits.
    torch.testing.assert_close(ours, noisy, rtol=0, atol=2e-3)


def of_diffusers(schedule: NoiseSchedule, sampler: Sampler, steps: int) -> Any:
    """The scheduler of diffusers for the same steps."""
    options = {
        "num_train_timesteps": 1000,
        "trained_betas": schedule.betas.tolist(),
        "prediction_type": "v_prediction" if schedule.prediction == "v" else "epsilon",
    }
    if sampler == "dpm_solver++":
        solver = DPMSolverMultistepScheduler(**options, final_sigmas_type="zero")
        solver.set_timesteps(timesteps=sampling_levels(schedule, sampler, steps))
        return solver
    options |= {"clip_sample": False, "timestep_spacing": "trailing"}
    scheduler = (
        DDPMScheduler(**options, variance_type="fixed_small")
        if sampler == "ddpm"
        else DDIMScheduler(**options)
    )
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize("sampler", ["dpm_solver++", "ddim", "ddpm"])
@pytest.mark.parametrize("betas", [UNCLIPPED, CLIPPED], ids=["unclipped", "clipped"])
def test_every_way_starts_at_the_last_timestep(sampler: Sampler, betas: object) -> None:
    schedule, seen = NoiseSchedule(betas), []  # type: ignore[arg-type]

    def watch(timestep: float, noisy: torch.Tensor, predicted: torch.Tensor) -> None:
        seen.append(timestep)

    white = WhiteNoise([1], CPU)
    guess = torch.zeros(1, 3, 4, 4)
    draw(exact(schedule), schedule, sampler, 10, guess, white, watch=watch)
    assert seen[0] == 999
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 10


def test_pure_noise_needs_no_guess() -> None:
    mean, std = moments(sample("v", "dpm_solver++", 8, guess=torch.zeros_like(MEAN)))
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=0.045, rtol=0)


def test_a_clipped_schedule_is_biased_without_a_guess() -> None:
    # The flow maps x_T to mu + s (x_T - alpha mu) / sqrt(alpha^2 s^2 + sigma^2): starting from the
    # mean 0 shifts the samples by - alpha mu / sqrt(...) standard deviations; -0.085 for mu = 1.5.
    mean, _ = moments(sample("noise", "dpm_solver++", 20, guess=torch.zeros_like(MEAN)))
    alpha = NoiseSchedule(CLIPPED).alpha[-1]
    shift = -alpha * MEAN / (alpha**2 * STD**2 + 1 - alpha**2).sqrt()
    assert shift[0, 0] < -0.08
    torch.testing.assert_close(mean, shift.flatten(), atol=0.03, rtol=0)


def test_noise_prediction_is_ill_posed_on_an_unclipped_schedule() -> None:
    # A network that is wrong by 0.02 everywhere. Where alpha is 5e-5, the state it implies is wrong
    # by 400; on the clipped schedule, and for v, the same error stays an error of that order.
    wrong, _ = moments(sample("noise", "dpm_solver++", 8, MEAN, betas=UNCLIPPED, error=0.02))
    assert wrong.abs().max() > 1.0
    for prediction in ("noise", "v"):
        mean, _ = moments(sample(prediction, "dpm_solver++", 8, guess=MEAN, error=0.02))  # type: ignore[arg-type]
        assert mean.abs().max() < 0.5


def test_even_steps_in_time_would_lose_small_scales() -> None:
    # Why the steps are even in log-SNR: with ten trailing steps the last is at sigma 0.16, and the
    # expected clean state there has less spread than the clean state, by s / sqrt(s^2 + ratio^2).
    schedule = NoiseSchedule(UNCLIPPED)
    ours, trailing = solver_timesteps(schedule, 10)[-1], 99
    ratio = schedule.sigma / schedule.alpha
    small = 0.2
    assert small / (small**2 + ratio[trailing] ** 2).sqrt() < 0.8
    assert small / (small**2 + ratio[ours] ** 2).sqrt() > 0.98


@pytest.mark.parametrize("betas", [UNCLIPPED, CLIPPED], ids=["unclipped", "clipped"])
@pytest.mark.parametrize("steps", [1, 2, 5, 8, 20, 1000])
def test_solver_starts_at_the_last_timestep_and_descends(betas: object, steps: int) -> None:
    timesteps = solver_timesteps(NoiseSchedule(betas), steps)  # type: ignore[arg-type]
    assert timesteps[0] == 999
    assert timesteps == sorted(set(timesteps), reverse=True)
    assert timesteps[-1] >= 0
    if steps <= 20:
        assert len(timesteps) == steps


@pytest.mark.parametrize(("sampler", "steps"), [("dpm_solver++", 4), ("ddim", 10), ("ddpm", 10)])
def test_a_sample_depends_on_its_seed_only(sampler: Sampler, steps: int) -> None:
    schedule = NoiseSchedule(UNCLIPPED)

    def drawn(seeds: list[int]) -> torch.Tensor:
        return draw(
            exact(schedule),
            *(schedule, sampler, steps),
            torch.zeros(len(seeds), 3, 5, 4),
            WhiteNoise(seeds, CPU),
            eta=float(sampler == "ddim"),
        )

    together = drawn([7, 8, 9])
    # Of a network that rounds every point alike, as this one; noise differs by rounding at most.
    torch.testing.assert_close(drawn([9]), together[[2]], rtol=0, atol=1e-4)
    torch.testing.assert_close(drawn([9, 7]), together[[2, 0]], rtol=0, atol=1e-4)
    assert (together[0] - together[1]).abs().mean() > 0.1


def test_more_steps_than_timesteps() -> None:
    with pytest.raises(StormdrawError, match="1001 sampling steps are more than the model's 1000"):
        sample("v", "ddpm", 1001, guess=MEAN)
