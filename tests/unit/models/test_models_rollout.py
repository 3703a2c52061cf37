"""Training over several hours, each of which starts from what the model drew before."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from synthetic_hours import START, VARIABLES, small_grid

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.accumulation import Windows, count_epochs
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.forcings import Forcings, ForecastHour, make_forcings
from stormdraw.models.learning_rate import learning_rate_factor
from stormdraw.models.losses import almost_fair_crps
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.pairs import Batch, Pairs, leads_at
from stormdraw.models.rollout_schedule import RolloutSchedule
from stormdraw.models.settings import ModelSettings
from stormdraw.models.spectral_loss import spectral_crps
from stormdraw.models.training import new_model
from stormdraw.models.training_settings import Training
from stormdraw.models.white_noise import torch_noise
from stormdraw.times import hourly, hours

TIMES = list(hourly(START, START + hours(7)))


def settings(through: int | None = None, **changes: Any) -> ModelSettings:
    """A deterministic model that is unrolled over up to three hours."""
    training = {"epochs": 1, "rollout": {"hours": [2, 3], "steps": [1, 1], "through": through}}
    given = {
        "family": "gnn",
        "network": {"latent": 8, "layers": 1},
        "prediction": "target",
        "target": "residual",
        "training": training,
    }
    return ModelSettings.model_validate(given | changes)


def generator_settings(**changes: Any) -> ModelSettings:
    """An ensemble of three members."""
    given: dict[str, Any] = {
        "family": "stochastic_unet",
        "network": {"channels": [8, 8], "noise_scales": [1, 4]},
        "loss": {"kind": "almost_fair_crps", "members": 3, "alpha": 0.9},
    }
    return settings(**(given | changes))


@pytest.fixture
def statistics(synthetic: Path) -> Statistics:
    return read_statistics(synthetic / "statistics.nc")


@pytest.fixture
def pairs(synthetic: Path) -> Pairs:
    return pairs_of(synthetic, 3)


def pairs_of(synthetic: Path, hours_ahead: int, history: int = 1) -> Pairs:
    forcings = make_forcings(["hour_of_day"], small_grid(), None)
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    return Pairs(paths, VARIABLES, TIMES, forcings, 1e9, history, hours_ahead=hours_ahead)


def model_of(configured: ModelSettings, statistics: Statistics) -> OneStepModel:
    """A new model, which knows the hour of the day."""
    with_hour = configured.model_copy(update={"forcings": ["hour_of_day"]})
    model = new_model("x", 1, with_hour, statistics)
    assert isinstance(model, OneStepModel)
    return model


def test_a_batch_has_the_hours_after_with_their_forcings(pairs: Pairs, synthetic: Path) -> None:
    # Of 8 hours, t to t + 3 h must be there.
    assert pairs.times == TIMES[:5]
    batch = pairs.batch([1, 4], hours_ahead=3)
    assert batch.hours == 3
    each = pairs_of(synthetic, 1)
    assert len(each) == 7
    for hour in range(3):
        alone = each.batch([1 + hour, 4 + hour])
        assert torch.equal(batch.following_at(hour), alone.following)
        assert torch.equal(batch.forcings_at(hour), alone.forcings)
    # One hour is as it was.
    assert pairs.batch([1]).later is None


@pytest.mark.parametrize("history", [1, 3])
def test_each_hour_starts_from_the_forecast_of_the_hour_before(
    synthetic: Path, statistics: Statistics, history: int
) -> None:
    """As forecasts do it: physical states, bounded, one step after the other."""
    changing = {"history": history, "history_as": "changes"} if history > 1 else {}
    model = model_of(settings(**changing), statistics)
    batch = pairs_of(synthetic, 3, history).batch([0, 1], hours_ahead=3)
    scale = torch.as_tensor(statistics.tendency_std)[:, None, None]
    transform = model.normalization.transform
    states = [*([] if batch.before is None else batch.before.unbind(1)), batch.now]
    errors = []
    with torch.no_grad():
        for hour in range(3):
            before = torch.stack(states[:-1], dim=1) if len(states) > 1 else None
            drawn = model.step(states[-1], batch.forcings_at(hour), before)
            error = (transform(drawn) - transform(batch.following_at(hour))) / scale
            errors.append(error.square().mean(dim=(2, 3)))
            states = [*states[1:], apply_bounds(drawn, VARIABLES)[0]]
        losses = model.training_losses(batch, None)
    torch.testing.assert_close(losses, torch.stack(errors).mean(dim=0), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(errors[0], errors[2], rtol=0.05)


def test_members_of_an_ensemble_go_on_from_their_own_states(
    pairs: Pairs, statistics: Statistics
) -> None:
    model = model_of(generator_settings(), statistics)
    batch = pairs.batch([0, 2], hours_ahead=2)
    scale = torch.as_tensor(statistics.tendency_std)[:, None, None]
    transform, random = model.normalization.transform, torch.Generator().manual_seed(4)
    states = [batch.now[b : b + 1] for b in (0, 0, 0, 1, 1, 1)]
    expected = []
    with torch.no_grad():
        for hour in range(2):
            noise = model.network.draw_noise(torch_noise(6, random), (13, 10))
            drawn = []
            for number, state in enumerate(states):
                forcings = batch.forcings_at(hour)[[number // 3]]
                made = model.network(model.condition(state, forcings), noise[[number]])
                drawn.append(model.normalization.decode(state, made))
            members = transform(torch.cat(drawn)).unflatten(0, (2, 3)) / scale
            goal = transform(batch.following_at(hour)) / scale
            expected.append(almost_fair_crps(members, goal, 0.9))
            states = [apply_bounds(state, VARIABLES)[0] for state in drawn]
        losses = model.training_losses(batch, torch.Generator().manual_seed(4))
    torch.testing.assert_close(losses, torch.stack(expected).mean(dim=0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bounded", [False, True])
def test_the_loss_of_wave_bands_is_of_states(
    pairs: Pairs, statistics: Statistics, bounded: bool
) -> None:
    """Of each hour's members in units of the change over an hour, as bounded as the others."""
    loss = {"kind": "almost_fair_crps", "members": 2, "alpha": 0.9, "bounded": bounded}
    plain = generator_settings(loss=loss)
    model = model_of(generator_settings(loss=loss | {"spectral": 0.5}), statistics)
    alone = model_of(plain, statistics)
    batch = pairs.batch([0, 2], hours_ahead=2)
    transform, scale = model.normalization.transform, model.normalization.scale
    random, expected = torch.Generator().manual_seed(4), []
    states = batch.now.repeat_interleave(2, dim=0)
    with torch.no_grad():
        for hour in range(2):
            noise = model.network.draw_noise(torch_noise(4, random), (13, 10))
            forcings = batch.forcings_at(hour).repeat_interleave(2, dim=0)
            made = model.network(model.condition(states, forcings), noise)
            drawn = model.normalization.decode(states, made)
            states = apply_bounds(drawn, VARIABLES)[0]
            members = transform(states if bounded else drawn).unflatten(0, (2, 2)) / scale
            goal = transform(batch.following_at(hour)) / scale
            expected.append(spectral_crps(members, goal, 0.9))
        both, points = (
            one.training_losses(batch, torch.Generator().manual_seed(4)) for one in (model, alone)
        )
    found = 2.0 * (both - points)
    torch.testing.assert_close(found, torch.stack(expected).mean(dim=0), rtol=1e-3, atol=1e-4)


def gradients(model: OneStepModel, batch: Batch) -> torch.Tensor:
    model.zero_grad()
    model.training_losses(batch, torch.Generator().manual_seed(4)).mean().backward()
    return torch.cat([each.grad.flatten() for each in model.parameters() if each.grad is not None])


def test_gradients_pass_through_all_hours(
    pairs: Pairs, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recomputed hours have the gradients of hours that are kept."""
    model = model_of(generator_settings(), statistics)
    batch = pairs.batch([0, 2], hours_ahead=3)
    recomputed = gradients(model, batch)
    monkeypatch.setattr(
        "stormdraw.models.one_step.checkpoint", lambda call, *inputs, **_: call(*inputs)
    )
    torch.testing.assert_close(recomputed, gradients(model, batch))
    assert torch.isfinite(recomputed).all()


@pytest.mark.parametrize(("through", "cut"), [(1, (1, 2)), (2, (2,)), (None, ())])
def test_gradients_pass_through_as_many_hours_as_configured(
    pairs: Pairs, statistics: Statistics, through: int | None, cut: tuple[int, ...]
) -> None:
    """Cut where the states of an hour are taken as given; by hand on physical states."""
    model = model_of(settings(through), statistics)
    batch = pairs.batch([0], hours_ahead=3)
    found = gradients(model, batch)
    transform, scale = model.normalization.transform, model.normalization.scale
    model.zero_grad()
    losses = []
    start = transform(batch.now)
    for hour in range(3):
        if hour in cut:
            start = start.detach()
        condition = model.condition_of([start], batch.forcings_at(hour))
        start = model.normalization.advanced(start, model.network(condition))
        goal = transform(batch.following_at(hour))
        losses.append(((start - goal) / scale).square().mean())
        start = model.normalization.clipped(start)
    torch.stack(losses).mean().backward()
    expected = [each.grad.flatten() for each in model.parameters() if each.grad is not None]
    torch.testing.assert_close(found, torch.cat(expected), rtol=1e-3, atol=1e-5)


def test_no_cape_has_finite_gradients(pairs: Pairs, statistics: Statistics) -> None:
    """The square root is infinitely steep at zero."""
    model = model_of(settings(), statistics)
    batch = pairs.batch([0], hours_ahead=3)
    batch.now[:, VARIABLES.index("CAPE")] = 0.0
    # A model that takes CAPE away: every hour is bounded at zero.
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(0.0)
    assert torch.isfinite(gradients(model, batch)).all()


def test_a_forecast_is_bounded_as_training_is(statistics: Statistics) -> None:
    model = model_of(settings(), statistics)
    random = torch.Generator().manual_seed(1)
    states = torch.stack(
        [280.0 + 60.0 * torch.randn(2, 4, 4, generator=random) for _ in range(2)]
        + [500.0 * torch.randn(2, 4, 4, generator=random)],
        dim=1,
    )
    transform = model.normalization.transform
    clipped = model.normalization.clipped(transform(states))
    bounded, _ = apply_bounds(states, VARIABLES)
    torch.testing.assert_close(clipped, transform(bounded))


class FromHour(Forcings):
    """Forcings by lead that exist from hour `first` of forecasts on."""

    by_lead = True

    def __init__(self, last: int) -> None:
        self.last = last

    def has(self, hour: ForecastHour) -> bool:
        return hour.valid <= START + hours(self.last)


def test_all_hours_are_of_one_forecast() -> None:
    """To 6 h, three hours may begin with leads of 1 to 4 h; the fields end 5 h after the start."""
    forcings = FromHour(last=5)
    assert leads_at(START, forcings, 6) == (1, 2, 3, 4, 5, 6)
    assert leads_at(START, forcings, 6, 3) == (1, 2, 3, 4)
    assert leads_at(START + hours(2), forcings, 6, 3) == (1, 2, 3, 4)
    assert leads_at(START + hours(3), forcings, 6, 3) == ()


def test_stages_end_the_training() -> None:
    """Three steps of two batches are an epoch: what whole epochs have more is of one hour."""
    rollout = {"hours": [2, 6], "steps": [3, 2]}
    training = Training(steps=3, batch_size=1, accumulation=2, rollout=rollout)
    model = settings().model_copy(update={"training": training})
    assert count_epochs(model, 6) == (3, 9)
    windows = Windows(samples=6, batch_size=1, accumulation=2)
    schedule = RolloutSchedule(training, windows, 9)
    found = [[schedule.hours(epoch, number) for number in range(6)] for epoch in range(3)]
    assert found == [[1, 1, 1, 1, 1, 1], [1, 1, 2, 2, 2, 2], [2, 2, 6, 6, 6, 6]]
    by_epochs = training.model_copy(update={"steps": None, "epochs": 2})
    assert count_epochs(model.model_copy(update={"training": by_epochs}), 6) == (4, 12)


def test_a_rollout_may_have_a_learning_rate_of_its_own() -> None:
    rollout = {"hours": [2], "steps": [4]}
    given = {"steps": 6, "learning_rate": 0.1, "learning_rate_schedule": "cosine"}
    training = Training.model_validate(given | {"warm_up_steps": 2, "rollout": rollout})
    halves = [0.5 + 0.5 * math.cos(math.pi * k / 8) for k in range(8)]
    one = [learning_rate_factor(training, step, 10) for step in range(10)]
    assert one == pytest.approx([1 / 3, 2 / 3, *halves])
    own = rollout | {"learning_rate": 0.02}
    training = Training.model_validate(given | {"warm_up_steps": 2, "rollout": own})
    quarters = [0.5 + 0.5 * math.cos(math.pi * k / 4) for k in range(4)]
    two = [learning_rate_factor(training, step, 10) for step in range(10)]
    assert two == pytest.approx([1 / 3, 2 / 3, *quarters, *(0.2 * each for each in quarters)])
    constant = training.model_copy(update={"learning_rate_schedule": "constant"})
    rates = [learning_rate_factor(constant, step, 10) for step in (2, 5, 6, 9)]
    assert rates == pytest.approx([1, 1, 0.2, 0.2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rollout": {"hours": [2, 3], "steps": [5]}}, "hours has 2 numbers and steps has 1"),
        ({"rollout": {"hours": [3, 2], "steps": [5, 5]}}, "give ascending numbers"),
        ({"rollout": {"hours": [1], "steps": [5]}}, "greater than or equal to 2"),
        ({"augmentation": {}}, "rollout and augmentation exclude each other"),
        ({"early_stopping_epochs": 3}, "rollout and early_stopping_epochs exclude each other"),
        ({"compile": "reduce-overhead"}, "rollout and compile exclude each other"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], said: str) -> None:
    given = {"epochs": 1, "rollout": {"hours": [2], "steps": [1]}}
    with pytest.raises(ValidationError, match=said):
        Training.model_validate(given | changes)


@pytest.mark.parametrize("kind", ["mse", "mae"])
def test_a_loss_of_wave_bands_needs_members(kind: str) -> None:
    with pytest.raises(ValidationError, match="spectral applies only to kind: almost_fair_crps"):
        settings(loss={"kind": kind, "spectral": 0.1})


def test_a_diffusion_model_is_not_unrolled() -> None:
    with pytest.raises(ValidationError, match=r"training\.rollout unrolls a model that takes one"):
        settings(family="conditional_unet", network={}, prediction="v")


def test_too_few_hours_in_a_row_are_told(synthetic: Path) -> None:
    with pytest.raises(StormdrawError, match="no 10 complete consecutive hours"):
        pairs_of(synthetic, 9)
