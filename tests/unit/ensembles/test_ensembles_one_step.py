"""Members of models that forecast in one step."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from rounding import assert_same_members

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles import rollout
from stormdraw.ensembles.diffusion import Sampling, sampled
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import one_step_model, write_one_step
from stormdraw.ensembles.rollout import Rollout
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.grids import Grid
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model

GRID = HRRR.crop(slice(480, 485), slice(880, 886))
STATE = ["T2M", "U10", "V10"]
START = datetime(2026, 6, 1)
INIT = START + timedelta(days=1, hours=1)
ONES = np.ones(3, dtype=np.float32)
STATISTICS = Statistics(
    tuple(STATE),
    ("identity",) * 3,
    mean=np.array([290.0, 0.0, 0.0], dtype=np.float32),
    std=5 * ONES,
    tendency_mean=0 * ONES,
    tendency_std=ONES,
)

STOCHASTIC = {
    "family": "stochastic_unet",
    "network": {"channels": [8, 8], "noise_scales": [1, 4]},
    "loss": {"kind": "almost_fair_crps"},
}
DETERMINISTIC = {
    "family": "cnn_transformer",
    "network": {"channels": [32, 32], "frames": 3, "layers": 1},
    "history": 3,
}


def state_at(hour: float) -> np.ndarray:
    """A state (variable, y, x) that tells its hour, well within bounds."""
    return np.stack([np.full(GRID.shape, start + 0.1 * hour) for start in (290.0, 2.0, -3.0)])


@pytest.fixture
def day_files(tmp_path: Path) -> list[Path]:
    """Two days from 2026-06-01, hourly."""
    paths = []
    for day in range(2):
        times = [START + timedelta(days=day, hours=hour) for hour in range(24)]
        paths.append(tmp_path / f"2026060{day + 1}.nc")
        leading = {"time": xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")}
        with written_in_parts(paths[-1], GRID, leading, {name: name for name in STATE}, {}) as file:
            for k, name in enumerate(STATE):
                file[name][:] = [state_at(24 * day + hour)[k] for hour in range(24)]
    return paths


def save(folder: Path, kind: dict[str, Any], grid: Grid = GRID) -> Path:
    """A checkpoint of an untrained model."""
    common = {"prediction": "target", "target": "residual", "training": {"epochs": 1}}
    settings = ModelSettings.model_validate({**common, **kind})
    path = folder / "model.pt"
    save_model(path, "small", new_model("small", 1, settings, STATISTICS), STATISTICS, None, grid)
    return path


def write(folder: Path, days: list[Path], kind: dict[str, Any], **changes: Any) -> np.ndarray:
    """(member, lead, variable, y, x)"""
    case = Case("small", "one_step", INIT, (1, 3), STATE)
    how = Rollout(**{"members": 4, "run_seed": 1, **changes})
    output = folder / "ensemble.nc"
    write_one_step(save(folder, kind), days, None, case, how, output, {"seed": 1})
    with xr.open_dataset(output) as dataset:
        assert dataset.attrs["method"] == "one_step"
        assert dataset.attrs["model"] == "small"
        return np.stack([dataset[name].values for name in STATE], axis=2)


def test_members_of_any_batch_are_the_same_up_to_rounding(
    tmp_path: Path, day_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = write(tmp_path, day_files, STOCHASTIC)
    assert len({state.tobytes() for state in together[:, 0]}) == 4
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", 3)
    assert_same_members(write(tmp_path, day_files, STOCHASTIC), together, STATE, packed=True)
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", 1)
    alone = write(tmp_path, day_files, STOCHASTIC, members=2)
    assert_same_members(alone, together[:2], STATE, packed=True)
    assert not np.allclose(write(tmp_path, day_files, STOCHASTIC, run_seed=2), together, rtol=1e-3)


def test_persistent_noise(
    tmp_path: Path, day_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = write(tmp_path, day_files, STOCHASTIC)
    persistent = write(tmp_path, day_files, STOCHASTIC, rho=0.9)
    assert not np.allclose(persistent[:, 1], fresh[:, 1], rtol=1e-3)
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", 3)
    split = write(tmp_path, day_files, STOCHASTIC, rho=0.9)
    assert_same_members(split, persistent, STATE, packed=True)


def test_members_differ_by_the_noise_alone(tmp_path: Path, day_files: list[Path]) -> None:
    """Without noise they are one, and with a hundredth of it they differ little."""
    whole = write(tmp_path, day_files, STOCHASTIC)
    little = write(tmp_path, day_files, STOCHASTIC, noise_amplitude=(0.01,))
    none = write(tmp_path, day_files, STOCHASTIC, noise_amplitude=(0.0,))
    assert (none == none[0]).all()
    ratio = little[:, 0].std(axis=0).mean(axis=(1, 2)) / whole[:, 0].std(axis=0).mean(axis=(1, 2))
    assert 0.001 < ratio.min() <= ratio.max() < 0.1
    with xr.open_dataset(tmp_path / "ensemble.nc") as dataset:
        assert dataset.attrs["noise_amplitude"] == 0.0


def test_a_deterministic_model_has_one_member(tmp_path: Path, day_files: list[Path]) -> None:
    assert write(tmp_path, day_files, DETERMINISTIC).shape[0] == 1


def test_history_rolls_on_with_the_forecast(tmp_path: Path, day_files: list[Path]) -> None:
    # One hour after midnight, so that the history reaches into the day before.
    drawn = write(tmp_path, day_files, DETERMINISTIC)[0]
    model = one_step_model(load_model(tmp_path / "model.pt", torch.device("cpu")), "small").eval()
    shape = drawn.shape[-2:]
    hour = (INIT - START) / timedelta(hours=1)
    states = [torch.from_numpy(state_at(hour - age).astype(np.float32))[None] for age in (2, 1, 0)]
    with torch.inference_mode():
        for _ in range(3):
            condition = model.condition(
                states[-1], torch.empty(1, 0, *shape), torch.stack(states[-3:-1], dim=1)
            )
            following = model.normalization.decode(states[-1], model.generate(condition))
            states.append(rollout.apply_bounds(following, STATE)[0])
    stored = 2**-9  # half the coarsest step in which these variables are stored
    np.testing.assert_allclose(drawn[0], states[3][0], rtol=1e-5, atol=stored)
    np.testing.assert_allclose(drawn[1], states[5][0], rtol=1e-5, atol=stored)


def test_a_missing_hour_of_the_history(tmp_path: Path, day_files: list[Path]) -> None:
    with pytest.raises(StormdrawError, match="no field at 2026-06-01 23 UTC"):
        write(tmp_path, day_files[1:], DETERMINISTIC)


def test_a_model_of_another_grid(tmp_path: Path, day_files: list[Path]) -> None:
    coarser = Grid(GRID.crs, GRID.x[::2], GRID.y[::2])
    case = Case("small", "one_step", INIT, (1,), STATE)
    path = save(tmp_path, STOCHASTIC, coarser)
    with pytest.raises(StormdrawError, match=r"system small: the model small was trained on a g"):
        write_one_step(path, day_files, None, case, Rollout(2, 1), tmp_path / "e.nc", {})
    assert not (tmp_path / "e.nc").exists()


def test_models_of_the_other_kind(tmp_path: Path) -> None:
    one_step = load_model(save(tmp_path, STOCHASTIC), torch.device("cpu"))
    with pytest.raises(StormdrawError, match="set the system's method to one_step"):
        sampled(one_step, "small", Sampling(4, 1))
    denoiser = {"family": "conditional_unet", "network": {"base_channels": 8}, "prediction": "v"}
    block = {"family": "block_mlp", "target": "block", "variable": "T2M", "prediction": "v"}
    downscaler = load_model(save(tmp_path, block), torch.device("cpu"))
    with pytest.raises(StormdrawError, match="does not forecast"):
        sampled(downscaler, "small", Sampling(4, 1))
    diffusion = load_model(save(tmp_path, denoiser), torch.device("cpu"))
    with pytest.raises(StormdrawError, match="set the system's method to diffusion"):
        one_step_model(diffusion, "small")
