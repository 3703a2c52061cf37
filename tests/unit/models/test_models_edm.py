"""EDM: the coefficients, loss and noise levels of Karras et al. (2022), Table 1."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_edm_dpmsolver_multistep import EDMDPMSolverMultistepScheduler
from perturbation_models import perturbation_settings
from synthetic_hours import make_model_settings
from torch import nn

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.diagnosis.denoising import noise_levels
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.edm import Edm
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.noise_settings import EdmSettings
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model

CPU = torch.device("cpu")
SIGMAS = torch.tensor([0.002, 0.05, 0.5, 1.0, 7.0, 80.0])
NAMES = ("T2M", "U10", "V10")
STANDARD = Statistics(
    NAMES,
    ("identity",) * 3,
    np.zeros(3, np.float32),
    np.ones(3, np.float32),
    np.zeros(3, np.float32),
    np.ones(3, np.float32),
)


def edm(**numbers: float) -> Edm:
    return Edm(EdmSettings.model_validate(numbers))


@pytest.mark.parametrize("data", [0.5, 1.0])
def test_the_coefficients_are_those_of_the_paper(data: float) -> None:
    own = edm(sigma_data=data)
    for sigma in SIGMAS.double():
        both = float(sigma) ** 2 + data**2
        assert float(own.c_skip(sigma)) == pytest.approx(data**2 / both)
        assert float(own.c_out(sigma)) == pytest.approx(float(sigma) * data / math.sqrt(both))
        assert float(own.c_in(sigma)) == pytest.approx(1 / math.sqrt(both))
        assert float(own.c_noise(sigma)) == pytest.approx(math.log(float(sigma)) / 4, abs=1e-12)


@pytest.mark.parametrize("data", [0.5, 1.0])
def test_coefficients_and_levels_are_those_of_diffusers(data: float) -> None:
    own = edm(sigma_data=data, sigma_max=60.0)
    theirs = EDMDPMSolverMultistepScheduler(sigma_min=0.02, sigma_max=60.0, sigma_data=data)
    theirs.set_timesteps(12)
    np.testing.assert_allclose([*own.sigmas(12), 0.0], theirs.sigmas.numpy(), rtol=1e-5)
    noisy, predicted = torch.randn(2, 1, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    for sigma in SIGMAS:
        at = sigma[None]
        given = theirs.precondition_inputs(noisy, sigma)
        torch.testing.assert_close(own.network_input(noisy, at), given)
        denoised = theirs.precondition_outputs(noisy, predicted, sigma)
        torch.testing.assert_close(own.clean_from(noisy, predicted, at), denoised)
        assert float(own.c_noise(sigma)) == pytest.approx(
            float(theirs.precondition_noise(sigma)), abs=1e-6
        )


# Of 200 x 200 x 4 values each: the sampling error of a standard deviation is 0.2 %.
@pytest.mark.parametrize("data", [0.5, 1.0])
def test_inputs_and_targets_have_unit_variance_at_every_level(data: float) -> None:
    own = edm(sigma_data=data)
    generator = torch.Generator().manual_seed(3)
    shape = (len(SIGMAS), 4, 200, 200)
    clean = data * torch.randn(shape, generator=generator)
    noise = torch.randn(shape, generator=generator)
    noisy = own.add_noise(clean, noise, SIGMAS)
    for unit in (own.network_input(noisy, SIGMAS), own.goal(clean, noise, SIGMAS)):
        std = unit.std(dim=(1, 2, 3))
        torch.testing.assert_close(std, torch.ones(len(SIGMAS)), atol=0.01, rtol=0)


def test_the_target_gives_the_clean_state_and_is_minus_the_velocity() -> None:
    generator = torch.Generator().manual_seed(4)
    clean, noise = torch.randn(2, len(SIGMAS), 2, 5, 5, generator=generator, dtype=torch.float64)
    own, sigma = edm(), SIGMAS.double()
    goal = own.goal(clean, noise, sigma)
    noisy = own.add_noise(clean, noise, sigma)
    torch.testing.assert_close(own.clean_from(noisy, goal, sigma), clean)
    # The same mixture, scaled to unit variance.
    alpha_bar = 1 / (1 + sigma**2)
    schedule = NoiseSchedule(1 - (alpha_bar / torch.cat([torch.ones(1), alpha_bar[:-1]])).numpy())
    schedule.alpha, schedule.sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    torch.testing.assert_close(goal, -schedule.velocity(clean, noise, torch.arange(len(SIGMAS))))


class Says(nn.Module):
    """A network that gives a fixed output, and keeps what it is given."""

    context = None

    def __init__(self, output: torch.Tensor | float) -> None:
        super().__init__()
        self.output = output

    def forward(
        self, given: torch.Tensor, condition: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        self.given, self.time = given, time
        return self.output * torch.ones_like(given)


def model_with(network: nn.Module, **changes: Any) -> DiffusionModel:
    settings = make_model_settings(**{"preconditioning": "edm", "forcings": [], **changes})
    model = new_model("e", 1, settings, STANDARD)
    assert isinstance(model, DiffusionModel)
    model.network = network
    return model


def test_the_loss_is_the_weighted_error_of_the_denoiser() -> None:
    """lambda |D - y|^2 with lambda = 1 / c_out^2 (equations 2 and 7 and Table 1)."""
    generator = torch.Generator().manual_seed(6)
    now, change, noise, output = torch.randn(4, 4, 3, 6, 5, generator=generator)
    sigma, data = torch.tensor([0.05, 0.6, 3.0, 40.0]), 0.7
    network = Says(output)
    model = model_with(network, preconditioning={"sigma_data": data})
    found = model.losses(now, now + change, now[:, :0], sigma, noise)
    s = sigma.double()[:, None, None, None]
    noisy = change.double() + s * noise
    c_skip, c_out = data**2 / (s**2 + data**2), s * data / (s**2 + data**2).sqrt()
    denoised = c_skip * noisy + c_out * output
    expected = ((denoised - change) ** 2 / c_out**2).mean(dim=(2, 3))
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
    given = noisy / (s**2 + data**2).sqrt()
    torch.testing.assert_close(network.given.double(), given, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(network.time, 250.0 * sigma.log())


def batch() -> Batch:
    """Standard normal states, and changes likewise."""
    now, change = torch.randn(2, 8, 3, 64, 64, generator=torch.Generator().manual_seed(7))
    return Batch(now, now + change, now[:, :0], ())


# A network that says 0 leaves the target's variance, which is 1. Of 8 levels, 3 x 64 x 64 values at
# least: 1 % of sampling error.
def test_the_loss_of_saying_nothing_is_one() -> None:
    model = model_with(Says(0.0))
    losses = model.training_losses(batch(), torch.Generator().manual_seed(8))
    torch.testing.assert_close(losses, torch.ones(8, 3), atol=0.1, rtol=0)
    assert model.noise_levels is not None
    # One level in each eighth of the distribution.
    assert sorted(model.noise_levels.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_perturbation_models_and_downscalers_are_preconditioned_too() -> None:
    perturbing = new_model(
        "p",
        1,
        perturbation_settings(
            prediction="v", noise_schedule={}, preconditioning={"P_mean": 1.0, "P_std": 0.1}
        ),
        STANDARD,
    )
    perturbing.network = Says(0.0)
    same = batch()
    same.following[:] = same.now
    losses = perturbing.training_losses(same, torch.Generator().manual_seed(9))
    torch.testing.assert_close(losses, torch.ones(8, 3), atol=0.1, rtol=0)
    downscaling = new_model(
        "d",
        1,
        ModelSettings.model_validate(
            {
                "family": "block_mlp",
                "network": {"block": 4, "hidden": 16},
                **{"prediction": "v", "target": "block", "variable": "T2M"},
                # Of white noise, what the mean of 16 values leaves.
                "preconditioning": {"sigma_data": math.sqrt(15 / 16)},
                "training": {"epochs": 1},
            }
        ),
        STANDARD,
    )
    says = Says(0.0)
    says.block = 4
    downscaling.network = says
    losses = downscaling.training_losses(same, torch.Generator().manual_seed(9))
    torch.testing.assert_close(losses, torch.ones(8, 1), atol=0.1, rtol=0)
    # Both are given their own level in each sample or block.
    assert len(set(says.time.tolist())) == 8 * 16 * 16


def test_training_levels_are_log_normal() -> None:
    own = edm(P_mean=0.4, P_std=0.8)
    drawn = own.draw_levels(20000, torch.Generator().manual_seed(1), CPU).log()
    # Each in its own part of the distribution: no sampling error to speak of.
    assert float(drawn.mean()) == pytest.approx(0.4, abs=1e-3)
    assert float(drawn.std()) == pytest.approx(0.8, abs=2e-3)
    # The share below one deviation above the mean is 84.13 %.
    assert float((drawn < 1.2).double().mean()) == pytest.approx(0.8413, abs=1e-3)
    generator = torch.Generator().manual_seed(2)
    alone = torch.cat([own.draw_levels(1, generator, CPU) for _ in range(4000)]).log()
    assert float(alone.mean()) == pytest.approx(0.4, abs=0.05)
    assert float(alone.std()) == pytest.approx(0.8, abs=0.04)


def test_an_extreme_draw_is_a_finite_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda *shape, **how: torch.zeros(*shape))
    level = edm().draw_levels(4, None, CPU)
    assert torch.isfinite(level.log()).all()


def test_quarters_of_the_levels() -> None:
    own = edm(P_mean=0.0, P_std=1.0)
    # The quartiles of a normal distribution are at 0.6745 deviations.
    levels = torch.tensor([-5.0, -0.68, -0.67, -0.01, 0.01, 0.67, 0.68, 9.0]).exp()
    assert own.quarter(levels).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_sampling_levels_by_hand() -> None:
    """Equation 5 with rho 2 and three steps: roots 4, 2.5 and 1."""
    assert edm(rho=2.0, sigma_max=16.0, sigma_min=1.0).sigmas(3) == pytest.approx([16, 6.25, 1])
    assert edm().sigmas(1) == [pytest.approx(80.0)]
    levels = edm().sigmas(18)
    assert (levels[0], levels[-1]) == (pytest.approx(80.0), pytest.approx(0.02))


def test_diagnosed_levels_are_within_the_sampling_range() -> None:
    levels = noise_levels(edm())
    # log(1 / sigma) from -3 to 3.5.
    np.testing.assert_allclose(np.log(levels), np.linspace(-3.5, 3.0, 8))
    assert noise_levels(edm(sigma_min=0.1, sigma_max=2.0))[0] == pytest.approx(0.1)
    assert edm().noise_over_signal(levels).tolist() == levels


def test_the_checkpoint_has_it(tmp_path: Path) -> None:
    settings = make_model_settings(preconditioning={"P_mean": -0.3, "sigma_max": 50.0})
    model = new_model("e", 1, settings, STANDARD)
    grid = HRRR.crop(slice(500, 509), slice(900, 910))
    save_model(tmp_path / "model.pt", "e", model, STANDARD, None, grid)
    loaded = load_model(tmp_path / "model.pt", CPU).model
    assert isinstance(loaded, DiffusionModel)
    assert isinstance(loaded.formulation, Edm)
    assert loaded.formulation.settings == EdmSettings(P_mean=-0.3, sigma_max=50.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"preconditioning": "edn"}, r"preconditioning.kind"),
        ({"preconditioning": {"sigma_min": 3.0, "sigma_max": 3.0}}, "give a sigma_min below"),
        ({"preconditioning": {"sigma_data": 0.0}}, "greater than 0"),
        ({"preconditioning": {"rho": 0.5}}, "greater than or equal to 1"),
        (
            {"preconditioning": "edm", "prediction": "noise"},
            "predicts a velocity, but prediction is noise; give prediction: v",
        ),
        (
            {"preconditioning": "edm", "noise_schedule": {"timesteps": 50}},
            "has its own noise levels and weights, and noise_schedule is for models without",
        ),
        (
            {"preconditioning": "edm", "loss": {"min_snr_gamma": 5.0}},
            "and loss.min_snr_gamma is for models without",
        ),
    ],
)
def test_settings_that_do_not_go_together(changes: dict[str, Any], said: str) -> None:
    if changes.get("prediction") == "noise":
        changes = {**changes, "noise_schedule": {"largest_beta": 0.02}}
    with pytest.raises(ValueError, match=said):
        make_model_settings(**changes)


def test_a_word_is_short_for_the_default_numbers() -> None:
    short, whole = (make_model_settings(preconditioning=each) for each in ("edm", {"kind": "edm"}))
    assert short == whole
    assert short.preconditioning is not None
    numbers = short.preconditioning.model_dump()
    assert (numbers["P_mean"], numbers["P_std"], numbers["rho"]) == (-0.2, 1.4, 7.0)
    assert (numbers["sigma_min"], numbers["sigma_max"]) == (0.02, 80.0)
    again = ModelSettings.model_validate(short.model_dump(mode="json"))
    assert again == short
