"""Sampling models with EDM, against denoisers and solutions that are known exactly."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_edm_dpmsolver_multistep import EDMDPMSolverMultistepScheduler
from one_system import configuration

from stormdraw.ensembles.member_noise import PersistentNoise
from stormdraw.ensembles.models import check_systems
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, SAMPLERS, Sampler, network_calls
from stormdraw.ensembles.samplers import _LEVELS, Denoise, draw
from stormdraw.errors import StormdrawError
from stormdraw.models.edm import Edm
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.noise_settings import EdmSettings
from stormdraw.models.settings import ModelSettings
from stormdraw.models.white_noise import WhiteNoise, amplified
from stormdraw.settings import Settings, load_settings

CPU = torch.device("cpu")
BOTH = list(SAMPLERS["edm"])

# Of three channels, (1, 3, 1, 1).
MEAN = torch.tensor([1.5, 0.0, -0.5])[None, :, None, None]
STD = torch.tensor([0.2, 1.0, 0.5])[None, :, None, None]

# clean(noisy, sigma (B, 1, 1, 1)) -> E[y | x]
Clean = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def edm(**numbers: float) -> Edm:
    return Edm(EdmSettings.model_validate(numbers))


def network_of(formulation: Edm, clean: Clean) -> Denoise:
    """The network F whose denoiser is `clean`: F = (D - c_skip x) / c_out, from c_in x and c_noise.

    c_noise comes in thousandths.
    """

    def denoise(given: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        sigma = (time.double() / 250.0).exp()
        data = formulation.settings.sigma_data
        both = (sigma**2 + data**2)[:, None, None, None]
        sigma = sigma[:, None, None, None]
        noisy = given.double() * both.sqrt()
        expected = clean(noisy, sigma)
        return (expected - data**2 / both * noisy) / (sigma * data / both.sqrt())

    return denoise


def gaussian(noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Of N(MEAN, STD^2): D(x; sigma) = (s^2 x + sigma^2 mu) / (s^2 + sigma^2)."""
    return (STD**2 * noisy + sigma**2 * MEAN) / (STD**2 + sigma**2)


def sample(sampler: Sampler, steps: int, noise: torch.Tensor, **numbers: float) -> torch.Tensor:
    """Samples of N(MEAN, STD^2) from this noise (B, 3, Y, X), and no first guess."""
    formulation = edm(**numbers)
    denoise = network_of(formulation, gaussian)
    guess = torch.zeros_like(noise)
    return draw(denoise, formulation, sampler, steps, guess, lambda shape: noise)


def exact_end(noise: torch.Tensor) -> torch.Tensor:
    """Where the solution of the ODE ends that starts at sigma_max times the noise.

    x(sigma) = mu + (x0 - mu) sqrt((s^2 + sigma^2) / (s^2 + sigma_max^2)) down to sigma_min, and the
    expected clean state from there.
    """
    fall = ((STD**2 + 0.02**2) / (STD**2 + 80.0**2)).sqrt()
    return MEAN + (80.0 * noise - MEAN) * fall * STD**2 / (STD**2 + 0.02**2)


# What is left at 32 steps is 3 % of the departure at most, at the channel with the least spread.
@pytest.mark.parametrize("sampler", BOTH)
@pytest.mark.parametrize("data", [0.5, 1.0])
def test_samples_end_where_the_exact_solution_ends(sampler: Sampler, data: float) -> None:
    noise = torch.tensor([-2.0, 0.3, 1.0])[:, None, None, None].expand(3, 3, 1, 1)
    found = sample(sampler, 32, noise, sigma_data=data)
    torch.testing.assert_close(found - MEAN, exact_end(noise) - MEAN, rtol=0.03, atol=1e-3)


@pytest.mark.parametrize("sampler", BOTH)
def test_the_error_falls_with_the_square_of_the_steps(sampler: Sampler) -> None:
    noise = torch.full((1, 3, 1, 1), 1.5)

    def errors(steps: int) -> torch.Tensor:
        return (sample(sampler, steps, noise) - exact_end(noise)).abs().flatten().double()

    order = torch.log2(errors(64) / errors(128))
    assert ((order > 1.75) & (order < 2.5)).all(), order


# 16,384 values: the sampling error of the mean is 0.008 standard deviations, that of the spread
# 0.6 %. What the solvers add is in config/README.md.
@pytest.mark.parametrize(
    ("sampler", "steps", "tolerance"),
    [("dpm_solver++", DEFAULT_STEPS, 0.115), ("dpm_solver++", 20, 0.045), ("heun", 18, 0.065)],
)
def test_a_known_gaussian_comes_back(sampler: Sampler, steps: int, tolerance: float) -> None:
    drawn = sample(sampler, steps, WhiteNoise(range(4), CPU)((3, 64, 64)))
    mean = ((drawn - MEAN) / STD).mean(dim=(0, 2, 3))
    std = drawn.std(dim=(0, 2, 3)) / STD.flatten()
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=tolerance, rtol=0)


def two_peaks(noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Of peaks at -1 and 1, N(-1, 0.2^2) and, with the share 0.3, N(1, 0.2^2).

    Of the noisy state each peak is N(mu, s^2 + sigma^2). By Bayes, the clean state is expected
    where each peak has it, by the chance that it is of this peak.
    """
    variance = 0.2**2 + sigma**2
    upper = torch.sigmoid(math.log(0.3 / 0.7) + 2.0 * noisy / variance)
    peak = 2.0 * upper - 1.0
    return peak + 0.2**2 / variance * (noisy - peak)


# 30,000 values: 0.6 % of a spread, 0.003 of a share.
@pytest.mark.parametrize(("sampler", "steps"), [("dpm_solver++", 20), ("heun", 18)])
def test_two_peaks_keep_their_shares_and_spreads(sampler: Sampler, steps: int) -> None:
    formulation, noise = edm(), WhiteNoise([1], CPU)
    guess = torch.zeros(1, 1, 150, 200)
    drawn = draw(network_of(formulation, two_peaks), formulation, sampler, steps, guess, noise)
    upper = drawn > 0
    assert float(upper.double().mean()) == pytest.approx(0.3, abs=0.015)
    for chosen in (upper, ~upper):
        assert float(drawn[chosen].std()) / 0.2 == pytest.approx(1.0, abs=0.09)


def test_the_solver_goes_the_way_of_diffusers() -> None:
    formulation = edm(sigma_data=0.5)
    denoise = network_of(formulation, gaussian)
    noise = WhiteNoise([3, 4], CPU)((3, 6, 5))
    theirs = EDMDPMSolverMultistepScheduler(sigma_min=0.02, sigma_data=0.5)
    theirs.set_timesteps(11)
    noisy = 80.0 * noise
    for timestep, sigma in zip(theirs.timesteps, theirs.sigmas, strict=False):
        given = theirs.precondition_inputs(noisy, sigma)
        predicted = denoise(given, 1000.0 * timestep.expand(2)).float()
        noisy = theirs.step(predicted, timestep, noisy).prev_sample
    found = sample("dpm_solver++", 11, noise, sigma_data=0.5)
    # States of 80 standard deviations in single precision.
    torch.testing.assert_close(found, noisy, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sampler", BOTH)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_network_is_called_as_often_as_is_planned(sampler: Sampler, steps: int) -> None:
    formulation, levels = edm(), []
    denoise = network_of(formulation, gaussian)
    guess, white = torch.zeros(1, 3, 4, 4), WhiteNoise([1], CPU)

    def watch(level: float, noisy: torch.Tensor, predicted: torch.Tensor) -> None:
        levels.append(level)

    draw(denoise, formulation, sampler, steps, guess, white, watch=watch)
    assert len(levels) == network_calls(sampler, steps)
    assert levels[0] == pytest.approx(80.0)
    assert levels == sorted(levels, reverse=True)


def test_heun_evaluates_both_ends_of_every_step_but_the_last() -> None:
    assert [network_calls("heun", steps) for steps in (1, 2, 18)] == [1, 3, 35]
    assert network_calls("dpm_solver++", 18) == 18


@pytest.mark.parametrize("sampler", BOTH)
def test_the_spread_grows_with_the_amplitude_of_the_noise(sampler: Sampler) -> None:
    whole = WhiteNoise(range(2), CPU)((3, 8, 8))
    amplitude = (0.5, 1.0, 1.5)
    scaled = amplified(WhiteNoise(range(2), CPU), amplitude, CPU)((3, 8, 8))

    # With the mean as the first guess, departures from it are proportional to the noise.
    def departures(noise: torch.Tensor) -> torch.Tensor:
        formulation, guess = edm(), MEAN.expand(2, 3, 8, 8)
        denoise = network_of(formulation, gaussian)
        return draw(denoise, formulation, sampler, 8, guess, lambda shape: noise) - MEAN

    each = torch.tensor(amplitude)[:, None, None]
    torch.testing.assert_close(departures(scaled), each * departures(whole), rtol=1e-3, atol=1e-4)


def test_noise_that_persists_gives_members_that_persist() -> None:
    """With rho, the noise of two hours has that correlation, and samples of a Gaussian likewise."""
    correlate = PersistentNoise(0.7)
    white, formulation = WhiteNoise([5], CPU), edm()
    denoise, guess = network_of(formulation, gaussian), torch.zeros(1, 3, 100, 100)
    hours = [
        draw(denoise, formulation, "heun", 6, guess, white, correlate=correlate) for _ in range(2)
    ]
    for first, second in zip(*(hour[0].flatten(1) for hour in hours), strict=True):
        found = torch.corrcoef(torch.stack([first, second]))[0, 1]
        assert float(found) == pytest.approx(0.7, abs=0.03)


def test_each_kind_of_noise_has_its_samplers() -> None:
    assert set(_LEVELS) == {(kind, one) for kind, own in SAMPLERS.items() for one in own}
    cosine, white = NoiseSchedule(cosine_betas(10, 0.999)), WhiteNoise([1], CPU)
    for formulation, sampler, said in (
        (
            edm(),
            "ddim",
            r"ddim is not for models with edm noise; set `sampler` .* dpm_solver\+\+ or",
        ),
        (
            cosine,
            "heun",
            "heun is not for models with cosine noise; set `sampler` of the system to",
        ),
    ):
        with pytest.raises(StormdrawError, match=said):
            draw(lambda x, t: x, formulation, sampler, 3, torch.zeros(1, 1, 2, 2), white)  # type: ignore[arg-type]


def model_settings(**changes: Any) -> ModelSettings:
    least = {"family": "conditional_unet", "prediction": "v", "target": "residual"}
    return ModelSettings.model_validate({**least, "training": {"epochs": 1}, **changes})


def test_a_run_says_which_samplers_fit_its_models() -> None:
    def run(**changes: Any) -> Settings:
        system = {"method": "diffusion", "model": "m", **changes}
        return load_settings(configuration(system, models=["m"]))

    models = {"m": model_settings(preconditioning="edm")}
    heun = run(sampler="heun", steps=18)
    check_systems(heun, models)
    # Two hours.
    assert heun.ensembles.system("it").passes(heun, models) == {"m": 2 * 35}
    # There are no timesteps that could be too few.
    check_systems(run(steps=2000), models)
    with pytest.raises(StormdrawError, match="samples the model m: the sampler ddim is not for"):
        check_systems(run(sampler="ddim"), models)
    with pytest.raises(StormdrawError, match="the sampler heun is not for models with cosine"):
        check_systems(run(sampler="heun"), {"m": model_settings()})
