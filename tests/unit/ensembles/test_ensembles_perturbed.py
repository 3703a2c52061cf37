"""The method def: what perturbed states are drawn from, and how a forecaster goes on from them."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from rounding import assert_same_members

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.member_noise import PersistentNoise
from stormdraw.ensembles.one_step import forecast, one_step_model
from stormdraw.ensembles.perturbed import Perturbing, perturber, restandardised, write_def
from stormdraw.ensembles.rollout import (
    BoundsTally,
    Inputs,
    Perturbation,
    apply_bounds,
    noise_of,
    roll_out,
)
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.packing import packing_of
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import TrainedModel, save_model
from stormdraw.models.forcings import ForecastHour, make_forcings
from stormdraw.models.perturbation import PerturbationModel
from stormdraw.models.settings import ModelSettings
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.models.training import new_model
from stormdraw.models.white_noise import WhiteNoise

VARIABLES = ("T2M", "D2M", "CAPE")
GRID = HRRR.crop(slice(500, 509), slice(900, 910))
INIT = datetime(2026, 6, 8, 6)
CASE = Case("def_small", "def", INIT, (1, 2), VARIABLES)
STATISTICS = Statistics(
    variables=VARIABLES,
    transforms=("identity", "identity", "signed_sqrt"),
    mean=np.array([295.0, 285.0, 10.0], dtype=np.float32),
    std=np.array([5.0, 5.0, 10.0], dtype=np.float32),
    tendency_mean=np.zeros(3, dtype=np.float32),
    tendency_std=np.array([1.0, 1.0, 3.0], dtype=np.float32),
)
PERTURBATION = {
    "family": "conditional_unet",
    "network": {"base_channels": 8},
    "prediction": "noise",
    "target": "perturbed_state",
    "forecaster": "steady",
    "noise_schedule": {"largest_beta": 0.02},
    "training": {"epochs": 1},
}
FORECASTER = {
    "family": "gnn",
    "network": {"latent": 8, "layers": 1},
    "prediction": "target",
    "target": "residual",
    "forcings": ["hour_of_day"],
    "training": {"epochs": 1},
}


def untrained(name: str, kind: dict[str, Any], statistics: Statistics = STATISTICS) -> TrainedModel:
    settings = ModelSettings.model_validate(kind)
    model = new_model(name, 1, settings, statistics).eval()
    return TrainedModel(name, model, None, TrainedGrid.of(GRID))


@pytest.fixture
def perturbation() -> TrainedModel:
    return untrained("def_small", PERTURBATION)


@pytest.fixture
def forecaster() -> TrainedModel:
    return untrained("steady", FORECASTER)


def perturbing(**changes: Any) -> Perturbing:
    return Perturbing(**{"members": 3, "run_seed": 1, "steps": 2, **changes})


def initial_state() -> np.ndarray:
    random = np.random.default_rng(5)
    state = STATISTICS.mean[:, None, None] + random.normal(size=(3, *GRID.shape))
    state[2] = np.maximum(random.normal(size=GRID.shape), 0.0) * 300.0
    return state.astype(np.float32)


def members(
    perturbation: TrainedModel, forecaster: TrainedModel, at_once: int = 3, **changes: Any
) -> np.ndarray:
    """(member, lead, variable, y, x), drawn so many at once."""
    how = perturbing(**changes)
    drawn = np.full((how.members, 2, 3, *GRID.shape), np.nan, dtype=np.float32)
    forcings = make_forcings(["hour_of_day"], GRID, None)
    generate = forecast(one_step_model(forecaster, "def_small"))
    perturb = Perturbation(perturbation, perturber(perturbation, CASE, how))
    for first in range(0, how.members, at_once):
        for member, lead, state in roll_out(
            *(forecaster, generate, forcings, initial_state()[None], CASE, how),
            *(BoundsTally(VARIABLES), how.numbers[first : first + at_once], perturb),
        ):
            drawn[member, lead] = state
    assert np.isfinite(drawn).all()
    return drawn


class Gaussian(torch.nn.Module):
    """A perfect network: of N(condition, spread^2) with a condition, of N(0, free^2) without.

    E[x_0 | x_t] = mu + alpha s^2 / (alpha^2 s^2 + sigma^2) (x_t - alpha mu), from the joint normal
    distribution of x_0 and x_t = alpha x_0 + sigma eps.
    """

    def __init__(self, model: PerturbationModel, spread: float, free: float) -> None:
        super().__init__()
        self.schedule = model.formulation
        self.spread, self.free = spread, free

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        alpha = self.schedule.alpha.double()[timestep][:, None, None, None]
        sigma = self.schedule.sigma.double()[timestep][:, None, None, None]
        variance = (self.spread if condition.any() else self.free) ** 2
        gain = alpha * variance / (alpha**2 * variance + sigma**2)
        clean = condition + gain * (noisy - alpha * condition)
        noise = (noisy - alpha * clean) / sigma
        predicts_noise = self.schedule.prediction == "noise"
        return (noise if predicts_noise else alpha * noise - sigma * clean).float()


# Three fields of 64 x 64 points in four samples: the sampling error of a mean is 0.008 standard
# deviations, that of a spread 0.6 %; the solver adds at most 3 % of spread at 10 steps.
@pytest.mark.parametrize("prediction", ["noise", "v"])
@pytest.mark.parametrize(
    ("guidance", "walks", "spread"),
    [
        (1.0, 1, 0.3),
        # Each walk adds its own independent variance.
        (1.0, 2, 0.3 * 2**0.5),
        (0.0, 1, 0.3),
        # Of two Gaussians of one spread the mixed score is that of a Gaussian with the mixed mean;
        # a second walk also halves what the first one has added.
        (0.5, 1, 0.3),
        (0.5, 2, 0.3 * (1 + 0.5**2) ** 0.5),
    ],
)
def test_a_known_gaussian_comes_back(
    prediction: str, guidance: float, walks: int, spread: float
) -> None:
    largest = 0.02 if prediction == "noise" else 0.999
    kind = {**PERTURBATION, "prediction": prediction, "noise_schedule": {"largest_beta": largest}}
    # At nine standard deviations from the mean or more, bounds clip nothing.
    variables = ("T2M", "U10", "V10")
    mean = np.array([295.0, 0.0, 0.0], dtype=np.float32)
    std = np.full(3, 5.0, dtype=np.float32)
    ones = np.ones(3, dtype=np.float32)
    statistics = Statistics(variables, ("identity",) * 3, mean, std, 0 * ones, ones)
    trained = untrained("def_small", kind, statistics)
    model = trained.model
    assert isinstance(model, PerturbationModel)
    model.network = Gaussian(model, 0.3, 0.3)
    how = perturbing(guidance=guidance, walks=walks, steps=10)
    perturb = perturber(trained, replace(CASE, variables=variables), how)
    condition = torch.ones(4, 3, 64, 64)
    white = WhiteNoise(range(4), torch.device("cpu"))
    with torch.inference_mode():
        start = model.normalization.physical(condition)
        drawn = perturb(start, white, PersistentNoise(0.0, walks))
        drawn = model.normalization.standardise(drawn)
    # The flow from the last timestep down to no noise is linear for Gaussians: of what the start
    # differs from alpha times the mixed mean, s / sqrt(alpha^2 s^2 + sigma^2) remains.
    alpha, sigma = model.formulation.alpha[-1].item(), model.formulation.sigma[-1].item()
    left = alpha * 0.3 / (alpha**2 * 0.3**2 + sigma**2) ** 0.5
    expected = (guidance + left * (1.0 - guidance)) ** walks
    assert drawn.mean().item() == pytest.approx(expected, abs=0.01)
    assert drawn.std().item() == pytest.approx(spread, rel=0.05)


def test_less_guidance_more_spread(perturbation: TrainedModel) -> None:
    model = perturbation.model
    assert isinstance(model, PerturbationModel)
    model.network = Gaussian(model, 0.1, 1.0)
    state = torch.from_numpy(initial_state())[None].expand(4, -1, -1, -1)

    def spread(guidance: float) -> float:
        white = WhiteNoise(range(4), torch.device("cpu"))
        perturb = perturber(perturbation, CASE, perturbing(guidance=guidance, steps=10))
        with torch.inference_mode():
            return perturb(state, white, PersistentNoise(0.0))[:, 0].std(dim=0).mean().item()

    spreads = [spread(guidance) for guidance in (0.0, 0.3, 0.6, 1.0)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] > 5 * spreads[-1]


@pytest.mark.parametrize(
    ("batch", "changes"), [(1, {"sampler": "ddpm"}), (2, {"walks": 2, "rho": 0.8})]
)
def test_members_of_any_batch_are_the_same_up_to_rounding(
    perturbation: TrainedModel,
    forecaster: TrainedModel,
    batch: int,
    changes: dict[str, Any],
) -> None:
    together = members(perturbation, forecaster, **changes)
    split = members(perturbation, forecaster, at_once=batch, **changes)
    assert (together.std(axis=0).max(axis=(0, 2, 3)) > 0.1).all()
    assert_same_members(split, together, VARIABLES)


def test_walks_guidance_and_restandardising_change_the_members(
    perturbation: TrainedModel, forecaster: TrainedModel
) -> None:
    plain, fresh = (members(perturbation, forecaster, members=2, walks=n) for n in (1, 2))
    assert np.abs(fresh - plain).max() > 0.1
    for changes in ({"guidance": 0.9}, {"restandardise": ("T2M",)}):
        assert np.abs(members(perturbation, forecaster, members=2, **changes) - plain).max() > 0.1
    # Noise of the first hour has nothing to resemble.
    persistent = members(perturbation, forecaster, members=2, walks=2, rho=0.5)
    assert_same_members(persistent[:, 0], fresh[:, 0], VARIABLES)
    assert np.abs(persistent[:, 1] - fresh[:, 1]).max() > 0.1


def test_the_forecaster_steps_the_perturbed_state_every_hour(
    perturbation: TrainedModel, forecaster: TrainedModel
) -> None:
    drawn = members(perturbation, forecaster, members=1)[0]
    perturb = perturber(perturbation, CASE, perturbing(members=1))
    state = torch.from_numpy(initial_state())[None]
    forcings = make_forcings(["hour_of_day"], GRID, None)
    model = one_step_model(forecaster, "def_small")
    with torch.inference_mode():
        for hour in (1, 2):
            white = noise_of(1, CASE, [0], hour, torch.device("cpu"))
            perturbed = perturb(state, white, PersistentNoise(0.0))
            assert (perturbed[:, 1] <= perturbed[:, 0]).all()  # D2M at most T2M
            assert (perturbed[:, 2] >= 0.0).all()  # CAPE
            assert (perturbed - state).abs().max() > 0.1
            known = torch.from_numpy(forcings.at(ForecastHour(INIT, hour)))[None]
            state = apply_bounds(model.step(perturbed, known), VARIABLES)[0]
            np.testing.assert_allclose(drawn[hour - 1], state[0], rtol=1e-5, atol=1e-3)


def test_restandardised_keeps_mean_and_spread_over_the_grid() -> None:
    random = np.random.default_rng(2)
    origin = torch.from_numpy(random.normal(3.0, 0.5, size=(2, 2, 9, 8)))
    drawn = torch.from_numpy(random.normal(-1.0, 2.0, size=(2, 2, 9, 8)))
    drawn[1, 1] = 4.0  # nothing but the floor, say
    done = restandardised(drawn, origin).numpy()
    for sample, field in ((0, 0), (0, 1), (1, 0)):
        own, wanted = done[sample, field], origin[sample, field].numpy()
        assert own.mean() == pytest.approx(wanted.mean())
        assert own.std() == pytest.approx(wanted.std())
        # Moved and stretched, and nothing else.
        assert np.corrcoef(own.ravel(), drawn[sample, field].ravel())[0, 1] == pytest.approx(1.0)
    np.testing.assert_array_equal(done[1, 1], 4.0)


def write_inputs(folder: Path) -> tuple[Path, Path, Path]:
    """Checkpoints of the perturbation model and the forecaster, and a day file with one hour."""
    for name, kind in (("perturbation", PERTURBATION), ("forecaster", FORECASTER)):
        model = untrained("def_small" if name == "perturbation" else "steady", kind)
        save_model(folder / f"{name}.pt", model.name, model.model, STATISTICS, None, GRID)
    time = xr.DataArray(np.array([INIT], dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in VARIABLES}
    with written_in_parts(folder / "day.nc", GRID, {"time": time}, names, {}) as file:
        for name, field in zip(VARIABLES, initial_state(), strict=True):
            file[name][0] = field
    return folder / "perturbation.pt", folder / "forecaster.pt", folder / "day.nc"


def test_file(tmp_path: Path, perturbation: TrainedModel, forecaster: TrainedModel) -> None:
    *checkpoints, day = write_inputs(tmp_path)
    output = tmp_path / "ensemble.nc"
    how = perturbing(members=3, walks=2)
    write_def((checkpoints[0], checkpoints[1]), Inputs([day], None), CASE, how, output, {"seed": 1})
    expected = members(perturbation, forecaster, members=3, walks=2)
    with xr.open_dataset(output) as dataset:
        assert dataset["T2M"].dims == ("member", "lead", "y", "x")
        for index, name in enumerate(VARIABLES):
            stored = packing_of(name).step / 2
            np.testing.assert_allclose(
                dataset[name], expected[:, :, index], rtol=1e-5, atol=stored + 1e-3
            )
        said = dataset.attrs
        assert (said["method"], said["model"], said["perturbation_model"]) == (
            "def",
            "steady",
            "def_small",
        )
        assert (said["guidance"], said["walks"], said["sampler_steps"]) == (0.5, 2, 2)


def test_checkpoints_of_other_kinds(tmp_path: Path) -> None:
    perturbation, forecaster, day = write_inputs(tmp_path)
    output, inputs = tmp_path / "ensemble.nc", Inputs([day], None)
    with pytest.raises(StormdrawError, match="the model def_small is a diffusion model"):
        write_def((perturbation, perturbation), inputs, CASE, perturbing(), output, {})
    with pytest.raises(StormdrawError, match=r"the model steady perturbs no states \(target: res"):
        write_def((forecaster, forecaster), inputs, CASE, perturbing(), output, {})
    assert not output.exists()
