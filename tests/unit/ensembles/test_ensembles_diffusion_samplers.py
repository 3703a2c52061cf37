"""Samplers, against a denoiser that is known exactly: that of independent normal variables."""

import pytest
import torch

from stormdraw.ensembles.sampler_steps import Sampler, check_steps
from stormdraw.ensembles.samplers import Denoise, draw, make_scheduler, solver_timesteps
from stormdraw.errors import StormdrawError
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.settings import Prediction

# Of three channels; (1, 3, 1, 1).
MEAN = torch.tensor([1.5, 0.0, -0.5])[None, :, None, None]
STD = torch.tensor([0.2, 1.0, 0.5])[None, :, None, None]

UNCLIPPED = cosine_betas(1000, 0.999)
CLIPPED = cosine_betas(1000, 0.02)


def exact(schedule: NoiseSchedule, prediction: Prediction, error: float = 0.0) -> Denoise:
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
        predicted = noise if prediction == "noise" else alpha * noise - sigma * clean
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
    schedule = NoiseSchedule(betas)  # type: ignore[arg-type]
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    return draw(
        exact(schedule, prediction, error),
        *(schedule, prediction, sampler, steps),
        guess.expand(4, 3, 64, 64),
        generators,
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


# DDIM's steps are even in time, which takes more of them (and its error is of first order).
@pytest.mark.parametrize("prediction", ["v", "noise"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_brings_a_known_gaussian_back(prediction: Prediction, eta: float) -> None:
    mean, std = moments(sample(prediction, "ddim", 250, guess=MEAN, eta=eta))
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=0.045, rtol=0)


def test_ddim_without_noise_draws_nothing_on_the_way() -> None:
    def after(eta: float) -> list[float]:
        schedule, generator = NoiseSchedule(UNCLIPPED), torch.Generator().manual_seed(1)
        guess = torch.zeros(1, 3, 4, 4)
        draw(exact(schedule, "v"), schedule, "v", "ddim", 4, guess, [generator], eta=eta)
        return torch.randn(2, generator=generator).tolist()

    once = torch.Generator().manual_seed(1)
    torch.randn((1, 3, 4, 4), generator=once)
    expected = torch.randn(2, generator=once).tolist()
    assert after(0.0) == expected
    assert after(1.0) != expected


@pytest.mark.parametrize("sampler", ["dpm_solver++", "ddim", "ddpm"])
@pytest.mark.parametrize("betas", [UNCLIPPED, CLIPPED], ids=["unclipped", "clipped"])
def test_schedule_and_sampler_agree_at_terminal_snr(sampler: Sampler, betas: object) -> None:
    schedule = NoiseSchedule(betas)  # type: ignore[arg-type]
    scheduler = make_scheduler(schedule, "v", sampler, 10)
    assert scheduler.timesteps[0] == 999
    alpha_bar = scheduler.alphas_cumprod.double()[-1]
    assert alpha_bar.sqrt().item() == pytest.approx(schedule.alpha[-1].item(), rel=1e-3)
    assert (1 - alpha_bar).sqrt().item() == pytest.approx(schedule.sigma[-1].item(), rel=1e-6)


def test_steps_that_ddim_cannot_take_evenly() -> None:
    for steps in (1, 50, 125, 1000):
        check_steps("ddim", steps, 1000)
    check_steps("ddpm", 300, 1000)
    with pytest.raises(StormdrawError, match=r"300 is no divisor of 1000; set `steps` .* to 250"):
        check_steps("ddim", 300, 1000)


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
def test_a_sample_depends_on_its_generator_only(sampler: Sampler, steps: int) -> None:
    schedule = NoiseSchedule(UNCLIPPED)

    def drawn(seeds: list[int]) -> torch.Tensor:
        return draw(
            exact(schedule, "v"),
            *(schedule, "v", sampler, steps),
            torch.zeros(len(seeds), 3, 5, 4),
            [torch.Generator().manual_seed(seed) for seed in seeds],
            eta=float(sampler == "ddim"),
        )

    together = drawn([7, 8, 9])
    assert torch.equal(drawn([9]), together[[2]])
    assert torch.equal(drawn([9, 7]), together[[2, 0]])
    assert not torch.equal(together[0], together[1])


def test_more_steps_than_timesteps() -> None:
    with pytest.raises(StormdrawError, match="1001 sampling steps are more than the model's 1000"):
        sample("v", "ddpm", 1001, guess=MEAN)
