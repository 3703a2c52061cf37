"""Models that forecast in one step: their losses, their history, and what does not go together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from synthetic_hours import START, VARIABLES, make_model_settings, make_settings, small_grid

from stormdraw.ensembles.models import check_systems
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.forcings import make_forcings
from stormdraw.models.losses import almost_fair_crps
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.pairs import Batch, Pairs
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model
from stormdraw.models.white_noise import WhiteNoise, torch_noise
from stormdraw.settings import Settings
from stormdraw.times import hourly, hours

SMALL = {
    "stochastic_unet": {"channels": [8, 8], "noise_scales": [1, 4]},
    "gnn": {"latent": 8, "layers": 1},
    "cnn_transformer": {"channels": [32, 32], "frames": 3, "layers": 1},
}


def settings(family: str, **changes: Any) -> ModelSettings:
    kind = "almost_fair_crps" if family == "stochastic_unet" else "mse"
    return ModelSettings.model_validate(
        {
            "family": family,
            "network": SMALL.get(family, {}),
            "prediction": "target",
            "target": "residual",
            "loss": {"kind": kind},
            "history": 3 if family == "cnn_transformer" else 1,
            "training": {"epochs": 1},
            **changes,
        }
    )


@pytest.fixture
def statistics(synthetic: Path) -> Statistics:
    return read_statistics(synthetic / "statistics.nc")


@pytest.fixture
def pairs(synthetic: Path) -> Pairs:
    """With a history of three hours."""
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    times = list(hourly(START, START + hours(7)))
    return Pairs(paths, VARIABLES, times, make_forcings([], small_grid(), None), 1e9, history=3)


def without_history(batch: Batch) -> Batch:
    return Batch(batch.now, batch.following, batch.forcings, batch.times)


def test_a_history_is_the_hours_before(pairs: Pairs) -> None:
    # Of 8 hours, t - 2 to t + 1 must be there: 5 times.
    assert pairs.times == list(hourly(START + hours(2), START + hours(6)))
    batch = pairs.batch([0, 3])
    assert batch.before is not None
    assert batch.before.shape == (2, 2, 3, 13, 10)
    # The oldest first: two hours before the first pair lies what one hour before it ...
    later = pairs.batch([1])
    assert later.before is not None
    torch.testing.assert_close(later.before[0, 0], batch.before[0, 1])
    torch.testing.assert_close(later.before[0, 1], batch.now[0])
    moved = batch.to(torch.device("cpu"))
    assert moved.before is not None
    torch.testing.assert_close(moved.before, batch.before)


def test_condition_has_the_oldest_state_first(pairs: Pairs, statistics: Statistics) -> None:
    model = new_model("x", 1, settings("cnn_transformer"), statistics)
    batch = pairs.batch([0])
    assert batch.before is not None
    condition = model.condition(batch.now, batch.forcings, batch.before)
    standard = model.normalization.standardise
    expected = [standard(batch.before[:, 0]), standard(batch.before[:, 1]), standard(batch.now)]
    torch.testing.assert_close(condition, torch.cat(expected, dim=1))


def test_condition_has_changes_for_earlier_states(pairs: Pairs, statistics: Statistics) -> None:
    changing = settings("stochastic_unet", history=3, history_as="changes")
    model = new_model("x", 1, changing, statistics)
    batch = pairs.batch([0])
    assert batch.before is not None
    oldest, older, now = batch.before[:, 0], batch.before[:, 1], batch.now
    condition = model.condition(now, batch.forcings, batch.before)
    assert condition.shape[1] == 9
    # T2M and D2M as they are; CAPE by its square root.
    for index, number in ((0, 0), (1, 1), (3, 0), (4, 1), (2, 2), (5, 2)):
        first, second = ((oldest, older), (older, now))[index // 3]
        first, second = first[:, number], second[:, number]
        if number == 2:
            first, second = first.sqrt(), second.sqrt()
        expected = (second - first - statistics.tendency_mean[number]) / statistics.tendency_std[
            number
        ]
        torch.testing.assert_close(condition[:, index], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(condition[:, 6:], model.normalization.standardise(now))


@pytest.mark.parametrize("kind", ["mse", "mae"])
def test_loss_of_a_regressor(pairs: Pairs, statistics: Statistics, kind: str) -> None:
    weights = {"T2M": 4.0}
    loss = {"kind": kind, "variable_weights": weights}
    model = new_model("x", 1, settings("gnn", loss=loss), statistics)
    batch = without_history(pairs.batch([0, 2]))
    error = model.network(model.condition(batch.now, batch.forcings)) - model.normalization.encode(
        batch.now, batch.following
    )
    mean = (error.square() if kind == "mse" else error.abs()).mean(dim=(2, 3))
    expected = mean * torch.tensor([2.0, 0.5, 0.5])
    torch.testing.assert_close(model.training_losses(batch, None), expected)


def test_loss_of_a_generator_is_that_of_its_members(pairs: Pairs, statistics: Statistics) -> None:
    loss = {"kind": "almost_fair_crps", "members": 3, "alpha": 0.9}
    model = new_model("x", 1, settings("stochastic_unet", loss=loss), statistics)
    batch = without_history(pairs.batch([0, 2]))
    generator = torch.Generator().manual_seed(4)
    losses = model.training_losses(batch, generator)
    white = torch_noise(6, torch.Generator().manual_seed(4))
    noise = model.network.draw_noise(white, (13, 10))
    condition = model.condition(batch.now, batch.forcings)
    members = [
        torch.cat([model.network(condition[[b]], noise[[3 * b + m]]) for m in range(3)])
        for b in range(2)
    ]
    goal = model.normalization.encode(batch.now, batch.following)
    expected = almost_fair_crps(torch.stack(members), goal, 0.9)
    torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-5)


def test_a_bounded_loss_ignores_values_beyond_the_bounds(
    pairs: Pairs, statistics: Statistics
) -> None:
    """Negative CAPE where there is none, which is what a forecast is cut to: a loss of nearly 0."""
    batch = without_history(pairs.batch([0, 2]))
    dry = torch.zeros_like(batch.following)
    dry[:, :2] = batch.following[:, :2]
    batch = replace(batch, following=dry)
    losses = {}
    for bounded in (False, True):
        loss = {"kind": "mae", "bounded": bounded}
        model = new_model("x", 1, settings("gnn", loss=loss), statistics)
        goal = model.normalization.encode(batch.now, batch.following)
        # Two standard deviations of the hourly change below zero, and as much too warm.
        below = torch.tensor([2.0, 2.0, -2.0])[:, None, None]
        model.network = FixedAnswer(goal + below)
        losses[bounded] = model.training_losses(batch, None)
    torch.testing.assert_close(losses[False], torch.full((2, 3), 2.0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(losses[True][:, :2], losses[False][:, :2])
    torch.testing.assert_close(losses[True][:, 2], torch.full((2,), 0.02), rtol=1e-2, atol=1e-4)


class FixedAnswer(torch.nn.Module):
    """A regressor that says the same whatever it is asked."""

    role = "regressor"

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        return self.answer


def test_one_stream_of_noise_one_sample(pairs: Pairs, statistics: Statistics) -> None:
    model = new_model("x", 1, settings("stochastic_unet"), statistics)
    assert isinstance(model, OneStepModel)
    batch = without_history(pairs.batch([0]))
    condition = model.condition(batch.now, batch.forcings).expand(3, -1, -1, -1)

    def white(*seeds: int) -> WhiteNoise:
        return WhiteNoise(seeds, torch.device("cpu"))

    three = model.generate(condition, white(1, 2, 1))
    torch.testing.assert_close(three[0], three[2])
    assert not torch.allclose(three[0], three[1], atol=1e-3)
    torch.testing.assert_close(model.generate(condition[:1], white(2))[0], three[1])
    with pytest.raises(ValueError, match="a stochastic model needs noise"):
        model.generate(condition)


@pytest.mark.parametrize(
    ("family", "changes", "said"),
    [
        ("gnn", {"prediction": "v"}, r"family is gnn, .* a regressor, but prediction: v, .*a deno"),
        ("gnn", {"loss": {"kind": "almost_fair_crps"}}, r"need a generator \(residual_unet, sto"),
        ("stochastic_unet", {"loss": {"kind": "mae"}}, "is a generator, .* mae need a regressor"),
        ("cnn_transformer", {"history_as": "changes"}, "takes frames of states"),
        ("cnn_transformer", {"history": 2}, "network.frames is 3 but history is 2; give both t"),
        ("conditional_unet", {}, r"is a denoiser, .* need a regressor \(cnn_transformer, gnn, res"),
        ("block_mlp", {}, "is a downscaler, .* need a regressor"),
    ],
)
def test_what_does_not_go_together(family: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(family, **changes)


def run_with(method: str, history: int = 1, **options: Any) -> Settings:
    """A configuration with one system that samples the model `small`."""
    system = {"method": method, "name": "forecast", "model": "small", **options}
    return make_settings(
        models=["small"], ensembles={"systems": [system]}, cases={"history": history}
    )


def test_eta_is_of_ddim_alone() -> None:
    run_with("diffusion", sampler="ddim", eta=1.0)
    with pytest.raises(ValueError, match="eta is of the sampler ddim, not of ddpm"):
        run_with("diffusion", sampler="ddpm", eta=1.0)


def test_systems_must_suit_their_models() -> None:
    frames, graph = settings("cnn_transformer"), settings("gnn")
    diffusion = make_model_settings()
    check_systems(run_with("one_step", 3), {"small": frames})
    # Of the run's own validation there is none: it is asked for elsewhere.
    one_step = run_with("one_step").ensembles.systems[0]
    asked = one_step.model_copy(update={"calibrate": True})
    ensembles = run_with("one_step").ensembles.model_copy(update={"systems": [asked]})
    calibrated = run_with("one_step").model_copy(update={"ensembles": ensembles})
    check_systems(calibrated, {"small": settings("stochastic_unet")})
    check_systems(run_with("diffusion"), {"small": diffusion})
    for run, model, said in (
        (run_with("one_step"), frames, r"starts from 3 hourly states; set cases.history \(now 1"),
        (run_with("diffusion"), graph, "prediction is target; set the method to one_step"),
        (run_with("diffusion", steps=2000), diffusion, "2000 sampling steps are more than"),
        (run_with("one_step"), diffusion, "prediction is v; set the method to diffusion"),
        (calibrated, graph, "has no noise that `calibrate` could change; leave that key out"),
        (run_with("one_step", noise_amplitude=0.9), graph, "no noise that `noise_amplitude` could"),
        (
            run_with("diffusion"),
            diffusion.model_copy(update={"target": "block"}),
            "that model downscales; set the method to downscale",
        ),
    ):
        with pytest.raises(StormdrawError, match=said):
            check_systems(run, {"small": model})
