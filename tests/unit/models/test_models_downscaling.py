"""The downscaler: blocks cut by hand, a rolling buffer, and a whole training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings

from stormdraw.ensembles.models import check_systems
from stormdraw.ensembles.samplers import draw
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.batches import EpochOrder
from stormdraw.models.checkpoint import load_model
from stormdraw.models.downscaling import DownscalingModel
from stormdraw.models.networks.block_mlp import Network, Options
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.models.training import new_model, train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.white_noise import WhiteNoise
from stormdraw.roles import Roles


def settings(**changes: Any) -> ModelSettings:
    training = {"epochs": 1, "batch_size": 4, "accumulation": 1, "crop": [8, 8]}
    return ModelSettings.model_validate(
        {
            "family": "block_mlp",
            "network": {"block": 4, "hidden": 16},
            "prediction": "v",
            "target": "block",
            "variable": "D2M",
            "noise_schedule": {"timesteps": 50},
            "training": {**training, "samples_per_state": 3, "buffer_states": 2},
            **changes,
        }
    )


@pytest.fixture
def model(synthetic: Path) -> DownscalingModel:
    statistics = read_statistics(synthetic / "statistics.nc")
    model = new_model("x", 1, settings(), statistics)
    assert isinstance(model, DownscalingModel)
    return model


def test_blocks_by_hand(model: DownscalingModel) -> None:
    states = torch.randn(2, 3, 9, 11) + 280.0
    coarse, fine = model.split(states)
    standard = model.normalization.standardise(states)
    assert coarse.shape == (2 * 2 * 2, 3)
    assert fine.shape == (8, 1, 4, 4)
    # The last block of the first state: rows and columns 4 to 7.
    block = standard[0, :, 4:8, 4:8]
    torch.testing.assert_close(coarse[3], block.mean(dim=(1, 2)))
    torch.testing.assert_close(fine[3, 0], block[1] - block[1].mean())


def test_loss_is_of_the_downscaled_variable(model: DownscalingModel) -> None:
    assert model.loss_names == ("D2M",)
    states = torch.randn(2, 3, 8, 8) + 280.0
    batch = Batch(states, states, torch.empty(2, 0, 8, 8), ())
    losses = model.training_losses(batch, torch.Generator().manual_seed(1))
    assert losses.shape == (2, 1)
    assert (losses > 0).all()
    other = states.clone()
    other[:, 1] += torch.randn(2, 8, 8)
    changed = Batch(states, other, torch.empty(2, 0, 8, 8), ())
    assert not torch.equal(model.training_losses(changed, torch.Generator().manual_seed(1)), losses)


def test_sampled_by_the_usual_sampler(model: DownscalingModel) -> None:
    coarse = torch.randn(5, 3)
    white = WhiteNoise(range(5), torch.device("cpu"))

    def denoise(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        return model.network(noisy, coarse, timestep)

    guess = torch.zeros(5, 1, 4, 4)
    with torch.inference_mode():
        fine = draw(denoise, model.formulation, "ddpm", 50, guess, white)
    assert fine.shape == (5, 1, 4, 4)
    assert torch.isfinite(fine).all()


def test_smooth_blocks_are_drawn_smooth() -> None:
    """Planes of random slopes: what is drawn must not be rougher than they are."""
    options = Options(block=8, hidden=64)
    torch.manual_seed(1)
    network = Network(1, 1, options)
    schedule = NoiseSchedule(cosine_betas(50, 0.999))
    generator = torch.Generator().manual_seed(2)
    row, column = torch.meshgrid(*(torch.linspace(-0.4, 0.4, 8),) * 2, indexing="ij")

    def planes(count: int) -> torch.Tensor:
        slopes = torch.randn(2, count, 1, 1, 1, generator=generator)
        return slopes[0] * row + slopes[1] * column

    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    # To the end of what it can learn: before, the samples depend on how each step was rounded.
    schedule_of_rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 600)
    for _ in range(600):
        clean, coarse = planes(128), torch.zeros(128, 1)
        noise = torch.randn(clean.shape, generator=generator)
        timestep = torch.randint(50, (128,), generator=generator)
        predicted = network(schedule.add_noise(clean, noise, timestep), coarse, timestep)
        loss = (predicted - schedule.goal(clean, noise, timestep)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule_of_rate.step()

    def denoise(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        return network(noisy, torch.zeros(len(noisy), 1), timestep)

    def steps_between_points(blocks: torch.Tensor) -> float:
        return float(blocks.diff(dim=-1).square().mean().sqrt())

    white = WhiteNoise(range(300), torch.device("cpu"))
    with torch.inference_mode():
        drawn = draw(denoise, schedule, "dpm_solver++", 10, torch.zeros(300, 1, 8, 8), white)
    truth = planes(300)
    assert float(drawn.std()) == pytest.approx(float(truth.std()), rel=0.25)
    ratio = steps_between_points(drawn) / steps_between_points(truth)
    assert ratio < 1.25


def test_a_buffer_of_states_rolls_through_time() -> None:
    order = EpochOrder(40, 1, "x", samples_per_state=400, buffer_states=8)
    samples = order.order()
    assert len(order) == 40 * 400
    assert sorted(samples) == list(range(40 * 400))
    pairs = samples % 40
    newest = np.maximum.accumulate(pairs)
    # Nothing comes back that is older than the buffer is long.
    assert (newest - pairs).max() == 7
    # While it is full, all that is in the buffer is drawn alike, from the newest to the oldest.
    full = (newest >= 8) & (newest < 39)
    ages = np.bincount((newest - pairs)[full]) / full.sum()
    np.testing.assert_allclose(ages, np.full(8, 1 / 8), atol=0.01)
    # One state goes as one comes: half of the buffer's samples are still to come at any time.
    for state in range(8, 40):
        before = pairs[: np.flatnonzero(pairs == state)[0]]
        waiting = [400 - (before == older).sum() for older in range(state - 7, state)]
        np.testing.assert_allclose(waiting, 50 * np.arange(1, 8), atol=30)


def test_without_a_buffer_all_are_shuffled() -> None:
    order = EpochOrder(5, 1, "x", samples_per_state=3).order()
    np.testing.assert_array_equal(np.sort(order), np.arange(15))
    assert list(order) != sorted(order)


def test_trains_and_loads(training_files: Any) -> None:
    files: TrainingFiles = training_files("downscaler")
    train("downscaler", make_settings(), settings(), files)
    trained = load_model(files.model, torch.device("cpu"), Roles(predicted=VARIABLES))
    assert isinstance(trained.model, DownscalingModel)


def test_one_file_serves_every_variable(tmp_path: Path, root: Path) -> None:
    text = (root / "config" / "models" / "downscaler.yaml").read_text()
    (tmp_path / "downscaler.yaml").write_text(text)
    assert load_model_settings(tmp_path / "downscaler.yaml").variable == "T2M"
    dew_point = load_model_settings(tmp_path / "downscaler_d2m.yaml")
    assert dew_point.variable == "D2M"
    assert dew_point.network == load_model_settings(tmp_path / "downscaler.yaml").network
    # A file of that name comes first.
    (tmp_path / "downscaler_u10.yaml").write_text(text.replace("T2M", "V10"))
    assert load_model_settings(tmp_path / "downscaler_u10.yaml").variable == "V10"
    with pytest.raises(StormdrawError, match=r"downscaler_rain.yaml: no such file"):
        load_model_settings(tmp_path / "downscaler_rain.yaml")
    other = (root / "config" / "models" / "ddpm_residual.yaml").read_text()
    (tmp_path / "small.yaml").write_text(other)
    with pytest.raises(StormdrawError, match=r"small_cin.yaml: no such file, .* not a downscaler"):
        load_model_settings(tmp_path / "small_cin.yaml")


def test_systems_that_downscale() -> None:
    def check(models: dict[str, ModelSettings], **changes: Any) -> None:
        system = {"name": "fine", "method": "downscale", "models": list(models), **changes}
        check_systems(make_settings(models=list(models), ensembles={"systems": [system]}), models)

    two = {"d": settings(), "t": settings(variable="T2M")}
    check(two)
    fine = make_settings(
        models=["d", "t"],
        ensembles={"systems": [{"name": "f", "method": "downscale", "models": ["d", "t"]}]},
    )
    assert fine.ensembles.systems[0].variables(fine, two) == ["T2M", "D2M"]
    for models, changes, said in (
        ({"d": make_model_settings()}, {}, r"with the model d, whose target is residual; name"),
        ({"d": settings(), "e": settings()}, {}, r"the model e, which is of D2M, and so is d;"),
        (two, {"steps": 51}, r"51 sampling steps are more than the model's 50 timesteps"),
    ):
        with pytest.raises(StormdrawError, match=said):
            check(models, **changes)


def test_bad_settings(synthetic: Path) -> None:
    statistics: Statistics = read_statistics(synthetic / "statistics.nc")
    for changes, said in (
        ({"variable": None}, "downscales one variable by diffusion"),
        ({"history": 2}, "uses only the coarse values; remove history"),
        ({"forcings": ["terrain"]}, "uses only the coarse values; remove history"),
        ({"network": {"block": 9}}, r"training.crop is \[8, 8\], smaller than a block of 9 x 9"),
        ({"family": "conditional_unet", "network": {}}, r"need a downscaler \(block_mlp\)"),
    ):
        with pytest.raises(ValueError, match=said):
            settings(**changes)
    model = new_model("x", 1, settings(), statistics)
    assert isinstance(model, DownscalingModel)
    with pytest.raises(StormdrawError, match=r"a block has 4 x 4 points, .* 3 x 9"):
        model.split(torch.zeros(1, 3, 3, 9))
