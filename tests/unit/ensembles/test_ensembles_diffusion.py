"""Members of a diffusion model: the same however they are batched, complete, and bounded."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from rounding import assert_same_members

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles import rollout
from stormdraw.ensembles.diffusion import Sampling, sampled, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import BoundsTally, members_at_once, roll_out
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.packing import packing_of
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import TrainedModel, save_model
from stormdraw.models.forcings import Forcings, make_forcings
from stormdraw.models.settings import ModelSettings
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.models.training import new_model

VARIABLES = ("T2M", "D2M", "U10", "V10", "CAPE")
GRID = HRRR.crop(slice(500, 509), slice(900, 910))
INIT = datetime(2026, 6, 8, 6)
STATISTICS = Statistics(
    variables=VARIABLES,
    transforms=("identity", "identity", "identity", "identity", "signed_sqrt"),
    mean=np.array([295.0, 285.0, 0.0, 0.0, 10.0], dtype=np.float32),
    std=np.array([5.0, 5.0, 4.0, 4.0, 10.0], dtype=np.float32),
    tendency_mean=np.zeros(5, dtype=np.float32),
    tendency_std=np.array([1.0, 1.0, 1.0, 1.0, 3.0], dtype=np.float32),
)


def settings(**changes: Any) -> ModelSettings:
    return ModelSettings.model_validate(
        {
            "family": "conditional_unet",
            "network": {"base_channels": 8},
            "prediction": "v",
            "target": "residual",
            "forcings": ["hour_of_day", "solar_elevation"],
            "training": {"epochs": 1},
            **changes,
        }
    )


@pytest.fixture
def trained() -> TrainedModel:
    """Weights that nobody trained: noise is as good to tell members apart."""
    model = new_model("small", 1, settings(), STATISTICS).eval()
    return TrainedModel("small", model, None, TrainedGrid.of(GRID))


@pytest.fixture
def forcings() -> Forcings:
    return make_forcings(["hour_of_day", "solar_elevation"], GRID, None)


def initial_state() -> np.ndarray:
    random = np.random.default_rng(5)
    state = STATISTICS.mean[:, None, None] + random.normal(size=(5, *GRID.shape))
    state[4] = np.maximum(random.normal(size=GRID.shape), 0.0) * 300.0
    return state.astype(np.float32)


def members(
    trained: TrainedModel,
    forcings: Forcings,
    leads: tuple[int, ...] = (1, 2),
    system: str = "small",
    at_once: int = 5,
    **changes: Any,
) -> np.ndarray:
    """(member, lead, variable, y, x), drawn so many at once."""
    sampling = Sampling(**{"members": 5, "run_seed": 1, "steps": 3, **changes})
    case = Case(system, "diffusion", INIT, leads, VARIABLES)
    drawn = np.full((sampling.members, len(leads), 5, *GRID.shape), np.nan, dtype=np.float32)
    generate = sampled(trained, system, sampling)
    start, tally = initial_state()[None], BoundsTally(VARIABLES)
    for first in range(0, sampling.members, at_once):
        block = sampling.numbers[first : first + at_once]
        how = (forcings, start, case, sampling, tally, block)
        for member, lead, state in roll_out(trained, generate, *how):
            drawn[member, lead] = state
    assert np.isfinite(drawn).all()
    return drawn


@pytest.mark.parametrize(("batch", "rho"), [(1, 0.0), (2, 0.0), (3, 0.8)])
def test_members_of_any_batch_are_the_same_up_to_rounding(
    trained: TrainedModel, forcings: Forcings, batch: int, rho: float
) -> None:
    together = members(trained, forcings, rho=rho)
    split = members(trained, forcings, at_once=batch, rho=rho)
    assert (together.std(axis=0).max(axis=(0, 2, 3)) > 0.1).all()
    assert_same_members(split, together, VARIABLES)


def test_a_member_is_the_same_in_a_larger_ensemble(
    trained: TrainedModel, forcings: Forcings
) -> None:
    few, many = (members(trained, forcings, at_once=1, members=count) for count in (2, 4))
    assert_same_members(few, many[:2], VARIABLES)


def test_persistent_noise_takes_effect_from_the_second_hour(
    trained: TrainedModel, forcings: Forcings
) -> None:
    fresh, persistent = members(trained, forcings), members(trained, forcings, rho=0.5)
    assert_same_members(persistent[:, 0], fresh[:, 0], VARIABLES)
    assert np.abs(persistent[:, 1] - fresh[:, 1]).max() > 0.1


def test_leads_between_are_stepped_through(trained: TrainedModel, forcings: Forcings) -> None:
    every = members(trained, forcings, leads=(1, 2, 3))
    for leads, places in (((1, 3), [0, 2]), ((2,), [1])):
        drawn = members(trained, forcings, leads=leads)
        assert_same_members(drawn, every[:, places], VARIABLES)


def test_seed_system_and_member_give_different_noise(
    trained: TrainedModel, forcings: Forcings
) -> None:
    first = members(trained, forcings)
    assert_same_members(members(trained, forcings), first, VARIABLES)
    for changes in ({"run_seed": 2}, {"system": "other"}):
        other = members(trained, forcings, **changes)  # type: ignore[arg-type]
        assert (np.abs(other - first).mean(axis=(0, 1, 3, 4)) > 0.1).all()
    for one, other in itertools.combinations(first[:, 0], 2):
        assert (np.abs(other - one).mean(axis=(1, 2)) > 0.1).all()


@pytest.mark.parametrize("prediction", ["v", "noise"])
@pytest.mark.parametrize("target", ["residual", "next_state"])
@pytest.mark.parametrize("sampler", ["dpm_solver++", "ddim", "ddpm"])
def test_every_kind_of_model_is_sampled_within_bounds(
    forcings: Forcings, prediction: str, target: str, sampler: str
) -> None:
    largest = 0.999 if prediction == "v" else 0.02
    kind = settings(prediction=prediction, target=target, noise_schedule={"largest_beta": largest})
    drawn = new_model("small", 1, kind, STATISTICS).eval()
    model = TrainedModel("small", drawn, None, TrainedGrid.of(GRID))
    drawn = members(model, forcings, leads=(1,), members=2, sampler=sampler, steps=4)
    assert (drawn[:, :, 1] <= drawn[:, :, 0]).all()
    assert (drawn[:, :, 4] >= 0).all()


def test_batch_is_bounded_by_memory(trained: TrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    one = rollout.sampling_bytes(trained.model.settings, trained.model.roles, GRID.shape)

    def at_once(gigabytes: float, count: int = 50) -> int:
        return members_at_once([trained], GRID.shape, Sampling(count, 1, batch_gigabytes=gigabytes))

    assert at_once(3.5 * one / 1e9) == 3
    assert at_once(0.5 * one / 1e9) == 1  # one member must go through whatever it takes
    assert at_once(100.0, count=4) == 4
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", 1000)
    assert at_once(20.5 * one / 1e9) == 20


def write_inputs(folder: Path, state: np.ndarray) -> tuple[Path, Path]:
    """A checkpoint and a day file with one hour."""
    model = new_model("small", 1, settings(), STATISTICS)
    save_model(folder / "model.pt", "small", model, STATISTICS, None, GRID)
    time = xr.DataArray(np.array([INIT], dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in VARIABLES}
    with written_in_parts(folder / "day.nc", GRID, {"time": time}, names, {}) as file:
        for name, field in zip(VARIABLES, state, strict=True):
            file[name][0] = field
    return folder / "model.pt", folder / "day.nc"


def write(folder: Path, state: np.ndarray, case: Case) -> Path:
    checkpoint, day = write_inputs(folder, state)
    output = folder / "ensemble.nc"
    sampling = Sampling(members=4, run_seed=1, steps=3)
    write_diffusion(checkpoint, [day], None, case, sampling, output, {"seed": 1})
    return output


def test_file(tmp_path: Path, trained: TrainedModel, forcings: Forcings) -> None:
    case = Case("small", "diffusion", INIT, (1, 3), VARIABLES)
    output = write(tmp_path, initial_state(), case)
    expected = members(trained, forcings, leads=(1, 3), members=4)
    with xr.open_dataset(output) as dataset:
        assert dataset["T2M"].dims == ("member", "lead", "y", "x")
        assert dataset["lead"].values.tolist() == [1, 3]
        wind = np.hypot(expected[:, :, 2], expected[:, :, 3])
        half_a_step = {name: packing_of(name).step / 2 for name in ("CAPE", "U10", "WIND10")}
        np.testing.assert_allclose(
            dataset["CAPE"], expected[:, :, 4], rtol=1e-5, atol=half_a_step["CAPE"]
        )
        # The speed is that of components that were rounded themselves.
        rounded = half_a_step["WIND10"] + 2**0.5 * half_a_step["U10"]
        np.testing.assert_allclose(dataset["WIND10"], wind, atol=rounded)
        assert dataset.attrs["system"] == "small"
        assert dataset.attrs["method"] == "diffusion"
        assert dataset.attrs["model"] == "small"
        assert (dataset.attrs["sampler"], dataset.attrs["sampler_steps"]) == ("dpm_solver++", 3)
        shares = [dataset.attrs[f"bounded_share_{name}"] for name in VARIABLES]
        assert shares[2] == 0  # no wind of 75 m/s
        assert 0 < shares[4] < 1  # CAPE below 0 somewhere
        assert dataset["T2M"].dtype == np.float32


def test_share_of_bounded_points_by_hand() -> None:
    tally = BoundsTally(("T2M", "D2M"))
    tally.add(torch.tensor([0, 3]), 10)
    tally.add(torch.tensor([1, 3]), 10)
    shares = tally.shares()
    assert shares["bounded_share_T2M"] == pytest.approx(0.05)
    assert shares["bounded_share_D2M"] == pytest.approx(0.3)


def test_missing_point_in_the_initial_state(tmp_path: Path) -> None:
    state = initial_state()
    state[1, 2, 3] = np.nan
    case = Case("small", "diffusion", INIT, (1,), VARIABLES)
    with pytest.raises(StormdrawError, match=r"day\.nc: D2M at 2026-06-08 06 UTC has 1 missing"):
        write(tmp_path, state, case)
    assert not (tmp_path / "ensemble.nc").exists()


def test_checkpoint_of_other_variables(tmp_path: Path) -> None:
    case = Case("small", "diffusion", INIT, (1,), VARIABLES[:2])
    with pytest.raises(
        StormdrawError, match=r"model\.pt: was trained for T2M, D2M, U10, V10, CAPE"
    ):
        write(tmp_path, initial_state(), case)


def test_initial_state_that_is_not_there(tmp_path: Path) -> None:
    case = Case("small", "diffusion", datetime(2026, 6, 9, 6), (1,), VARIABLES)
    with pytest.raises(StormdrawError, match="no field at 2026-06-09 06 UTC"):
        write(tmp_path, initial_state(), case)


def test_a_model_that_diverges_is_an_error(trained: TrainedModel, forcings: Forcings) -> None:
    with torch.no_grad():
        trained.model.network.leave[2].bias.fill_(float("nan"))
    with pytest.raises(StormdrawError, match=r"system small: model small drew states that are not"):
        members(trained, forcings)
