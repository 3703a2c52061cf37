"""States with a forecaster's forecasts from them, and trainings on these."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from perturbation_models import forecaster_settings, perturbation_settings
from synthetic_hours import HOURS, START, VARIABLES, make_settings, small_grid

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import read_statistics
from stormdraw.models.checkpoint import TrainedModel, save_model
from stormdraw.models.engine import TrainingModule
from stormdraw.models.forcings import make_forcings
from stormdraw.models.forecast_pairs import ForecastPairs, OneHourForecaster
from stormdraw.models.settings import ModelSettings
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.models.training import new_model, train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.times import hourly, hours

TIMES = list(hourly(START, START + hours(HOURS - 1)))
NO_FORCINGS = make_forcings([], small_grid(), None)
FilesOf = Callable[[str], TrainingFiles]


def trained(synthetic: Path, settings: ModelSettings, name: str = "steady") -> TrainedModel:
    """A forecaster with weights that nobody trained."""
    statistics = read_statistics(synthetic / "statistics.nc")
    model = new_model(name, 1, settings, statistics).eval()
    return TrainedModel(name, model, None, TrainedGrid.of(small_grid()))


def pairs_of(synthetic: Path, forecaster: TrainedModel, in_memory: float = 1e9) -> ForecastPairs:
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    ahead = OneHourForecaster(forecaster, make_forcings(["hour_of_day"], small_grid(), None))
    return ForecastPairs(paths, VARIABLES, TIMES, NO_FORCINGS, in_memory, ahead)


def states(synthetic: Path) -> torch.Tensor:
    """All hours, (hour, variable, y, x)."""
    with xr.open_mfdataset([synthetic / "first.nc", synthetic / "second.nc"]) as dataset:
        each = [dataset[name].values for name in VARIABLES]
    return torch.from_numpy(np.stack(each, axis=1).astype(np.float32))


@pytest.mark.parametrize("history", [1, 3])
def test_the_forecast_replaces_the_next_hour(synthetic: Path, history: int) -> None:
    forecaster = trained(synthetic, forecaster_settings(history))
    pairs = pairs_of(synthetic, forecaster)
    assert pairs.times == TIMES[history - 1 : -1]
    window = (slice(2, 10), slice(1, 9))
    batch = pairs.batch([3], [window])
    hour = 3 + history - 1
    every = states(synthetic)
    assert torch.equal(batch.now[0], every[hour][:, 2:10, 1:9])
    assert batch.before is None
    assert batch.forcings.shape == (1, 0, 8, 8)

    # On the whole grid, with the hour of the forecast's valid time, and then cut out.
    angle = torch.tensor(2 * np.pi * (hour + 1) / 24)
    known = torch.stack([angle.sin(), angle.cos()])[None, :, None, None].expand(1, 2, 13, 10)
    model = forecaster.model
    before = every[hour - history + 1 : hour][None] if history > 1 else None
    with torch.no_grad():
        generated = model.network(model.condition(every[hour][None], known.float(), before))
        expected = model.normalization.decode(every[hour][None], generated)[0]
    expected[2].clamp_(min=0.0)  # CAPE
    expected[1] = torch.minimum(expected[1], expected[0])  # D2M
    torch.testing.assert_close(batch.following[0], expected[:, 2:10, 1:9], rtol=1e-5, atol=1e-3)
    assert (batch.following[0] - every[hour + 1][:, 2:10, 1:9]).abs().max() > 0.1


def test_forecasts_from_memory_equal_those_made_when_needed(synthetic: Path) -> None:
    forecaster = trained(synthetic, forecaster_settings())
    one = 4 * len(VARIABLES) * 13 * 10
    both = pairs_of(synthetic, forecaster, in_memory=one * (HOURS + HOURS - 1))
    states_only = pairs_of(synthetic, forecaster, in_memory=one * (HOURS + HOURS - 1) - 1)
    nothing = pairs_of(synthetic, forecaster, in_memory=0)
    assert [each.bytes for each in (both, states_only, nothing)] == [
        one * (HOURS + HOURS - 1),
        one * HOURS,
        0,
    ]
    for indices in ([0, 6], [5]):
        kept = both.batch(indices)
        for other in (states_only, nothing):
            assert torch.equal(other.batch(indices).now, kept.now)
            assert torch.equal(other.batch(indices).following, kept.following)


def test_a_crop_is_forecast_as_in_the_whole_grid_from_what_lies_around_it(
    synthetic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It looks 4 points far, on a mesh of every other point.
    network = {"latent": 8, "layers": 1, "spacing": 2, "scales": 1}
    forecaster = trained(synthetic, forecaster_settings(family="gnn", network=network))
    given, forecast = [], OneHourForecaster.__call__

    def watched(self: OneHourForecaster, states: np.ndarray, *others: Any) -> np.ndarray:
        given.append(states.shape[-2:])
        return forecast(self, states, *others)

    monkeypatch.setattr(OneHourForecaster, "__call__", watched)
    whole, cropped = (pairs_of(synthetic, forecaster, in_memory=size) for size in (1e9, 0))
    given.clear()
    places = ((8, 0), (0, 5), (9, 7))
    windows = [(slice(row, row + 4), slice(column, column + 3)) for row, column in places]
    indices = [4, 0, 2]
    expected = whole.batch(indices, windows)
    assert given == []
    batch = cropped.batch(indices, windows)
    # Rows from 4 to the end, from 0 to 8 and from 4 to the end; columns from 0 to 8, from 0 to the
    # end and from 2 to the end.
    assert given == [(9, 8), (8, 10), (9, 8)]
    assert torch.equal(batch.now, expected.now)
    torch.testing.assert_close(batch.following, expected.following, rtol=1e-6, atol=1e-3)


def test_only_deterministic_forecasters(synthetic: Path) -> None:
    noisy = {"network": {"channels": [8, 8], "noise_scales": [1]}, "family": "stochastic_unet"}
    stochastic = forecaster_settings(**noisy, loss={"kind": "almost_fair_crps"})
    for settings in (stochastic, perturbation_settings()):
        with pytest.raises(StormdrawError, match="the forecaster odd is not deterministic"):
            OneHourForecaster(trained(synthetic, settings, "odd"), NO_FORCINGS)


@pytest.fixture
def files_with_forecaster(
    synthetic: Path, training_files: FilesOf, tmp_path: Path
) -> Callable[..., TrainingFiles]:
    """What the training of a perturbation model reads and writes."""
    statistics = read_statistics(synthetic / "statistics.nc")

    def files(name: str, seed: int = 1) -> TrainingFiles:
        path = tmp_path / f"steady_{seed}.pt"
        if not path.exists():
            model = new_model("steady", seed, forecaster_settings(), statistics)
            save_model(path, "steady", model, statistics, None, small_grid())
        return replace(training_files(name), forecaster=path)

    return files


def weights(files: TrainingFiles) -> dict[str, torch.Tensor]:
    return torch.load(files.model, weights_only=True)["state_dict"]


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[key], second[key]) for key in first | second)


def test_an_interrupted_training_ends_with_the_same_weights(
    files_with_forecaster: Callable[..., TrainingFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = perturbation_settings({"crop": [8, 8]})
    whole, broken = files_with_forecaster("whole"), files_with_forecaster("broken")
    train("small", make_settings(), settings, whole)
    step, count = TrainingModule.training_step, 0

    def interrupted(self: TrainingModule, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == 3:
            signal.raise_signal(signal.SIGTERM)
        return step(self, *arguments)

    def interrupt() -> None:
        nonlocal count
        count = 0
        with monkeypatch.context() as context:
            context.setattr(TrainingModule, "training_step", interrupted)
            with pytest.raises(KeyboardInterrupt):
                train("small", make_settings(), settings, broken)
        assert len(list(broken.resume_folder.iterdir())) == 1

    interrupt()
    train("small", make_settings(), settings, broken)
    assert equal(weights(whole), weights(broken))
    assert list(broken.resume_folder.iterdir()) == []
    # Not with another forecaster: the training then is another one, which takes the place.
    interrupt()
    train("small", make_settings(), settings, files_with_forecaster("broken", seed=2))
    assert not equal(weights(whole), weights(broken))
    assert list(broken.resume_folder.iterdir()) == []


def test_a_missing_checkpoint_of_the_forecaster_is_an_error(training_files: FilesOf) -> None:
    with pytest.raises(StormdrawError, match="needs the checkpoint of its forecaster"):
        train("small", make_settings(), perturbation_settings(), training_files("alone"))
