"""Training on Lightning: reproducible, resumable, and clear about what went wrong."""

import contextlib
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from synthetic_hours import (
    HOURS,
    START,
    VARIABLES,
    make_model_settings,
    make_settings,
    write_fields,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models import training
from stormdraw.models.accumulation import count_epochs
from stormdraw.models.engine import TrainingModule
from stormdraw.models.pairs import Batch
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.times import hourly, hours

FilesOf = Callable[[str], TrainingFiles]


def weights(files: TrainingFiles) -> dict[str, torch.Tensor]:
    return torch.load(files.model, weights_only=True)["state_dict"]


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[key], second[key]) for key in first | second)


def signal_at(monkeypatch: pytest.MonkeyPatch, batch: int, number: signal.Signals) -> None:
    """Send this process a signal while it computes its `batch`-th batch, counted from 1."""
    step = TrainingModule.training_step
    count = 0

    def interrupted(self: TrainingModule, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == batch:
            signal.raise_signal(number)
        return step(self, *arguments)

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)


def test_same_seed_same_weights_bit_for_bit(training_files: FilesOf) -> None:
    for name in ("first", "second"):
        train("small", make_settings(), make_model_settings(), training_files(name))
    train("small", make_settings(seed=4), make_model_settings(), training_files("other seed"))
    first = weights(training_files("first"))
    assert equal(first, weights(training_files("second")))
    assert not equal(first, weights(training_files("other seed")))


# Four batches an epoch, of 2, 2, 2 and 1 pairs; two make an optimizer step. The signal comes in the
# middle of an accumulation window, at its end, in the last batch of an epoch, and of all epochs.
@pytest.mark.parametrize("batch", range(1, 9))
def test_an_interrupted_training_ends_with_the_same_weights(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    settings, model = make_settings(), make_model_settings({"learning_rate_schedule": "cosine"})
    whole, broken = training_files("whole"), training_files("broken")
    train("small", settings, model, whole)
    with monkeypatch.context() as context:
        signal_at(context, batch, signal.SIGTERM if batch % 2 else signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            train("small", settings, model, broken)
    assert not broken.model.exists()
    assert len(list(broken.resume_folder.iterdir())) == 1
    train("small", settings, model, broken)
    assert equal(weights(whole), weights(broken))
    assert list(broken.resume_folder.iterdir()) == []
    without_speed = [
        [
            {key: epoch[key] for key in ("epoch", "step", "train_loss", "learning_rate")}
            for epoch in json.loads(files.metrics.read_text())["epochs"]
        ]
        for files in (whole, broken)
    ]
    assert without_speed[0] == without_speed[1]


@pytest.mark.parametrize("batch", [3, 4, 7])
def test_an_interrupted_rollout_ends_with_the_same_weights(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Two epochs of three batches of one hour, then two steps each of two and of three hours."""
    model = make_model_settings(
        {"rollout": {"hours": [2, 3], "steps": [2, 2]}},
        family="stochastic_unet",
        network={"channels": [8, 8], "noise_scales": [1, 4]},
        prediction="target",
        loss={"kind": "almost_fair_crps"},
    )
    unrolled: list[int] = []
    step = TrainingModule.training_step

    def watched(self: TrainingModule, given: Batch, number: int) -> object:
        unrolled.append(given.hours)
        return step(self, given, number)

    monkeypatch.setattr(TrainingModule, "training_step", watched)
    whole, broken = training_files("whole"), training_files("broken")
    train("small", make_settings(), model, whole)
    assert unrolled == [1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    with monkeypatch.context() as context:
        signal_at(context, batch, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            train("small", make_settings(), model, broken)
    train("small", make_settings(), model, broken)
    assert equal(weights(whole), weights(broken))


def test_a_killed_training_goes_on_from_its_last_epoch(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, model = make_settings(), make_model_settings({"epochs": 3})
    whole, broken = training_files("whole"), training_files("broken")
    train("small", settings, model, whole)
    step = TrainingModule.training_step
    batches: list[int] = []

    def killed(self: TrainingModule, *arguments: object) -> object:
        batches.append(self.current_epoch)
        if len(batches) == 7:
            raise OSError(28, "No space left on device")
        return step(self, *arguments)

    with monkeypatch.context() as context:
        context.setattr(TrainingModule, "training_step", killed)
        with pytest.raises(OSError, match="No space"):
            train("small", settings, model, broken)
        train("small", settings, model, broken)
    # Six batches were done, four of them saved with the first epoch; 8 of 12 remained.
    assert batches == [0] * 4 + [1] * 3 + [1] * 4 + [2] * 4
    assert equal(weights(whole), weights(broken))


def test_other_data_do_not_resume_an_interrupted_training(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = training_files("one")
    with monkeypatch.context() as context:
        signal_at(context, 5, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            train("small", make_settings(), make_model_settings(), files)
    shorter = make_settings(
        periods={
            "training": {"start": START, "end": START + hours(5)},
            "test": {"start": START + hours(8), "end": START + hours(10)},
        }
    )
    train("small", shorter, make_model_settings(), files)
    assert [epoch["epoch"] for epoch in json.loads(files.metrics.read_text())["epochs"]] == [1, 2]


def test_signal_handlers_are_restored(training_files: FilesOf) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    train("small", make_settings(), make_model_settings({"epochs": 1}), training_files("one"))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_loss_falls(training_files: FilesOf) -> None:
    files = training_files("one")
    model = make_model_settings(
        {
            "epochs": 60,
            "batch_size": 7,
            "accumulation": 1,
            "learning_rate": 3e-3,
            "checkpoint_every_epochs": 100,
        }
    )
    train("small", make_settings(), model, files)
    losses = [epoch["train_loss"] for epoch in json.loads(files.metrics.read_text())["epochs"]]
    assert sum(losses[-10:]) < 0.75 * sum(losses[:10])


def test_metrics_and_tensorboard(training_files: FilesOf) -> None:
    files = training_files("one")
    settings = make_settings(
        periods={
            "training": {"start": START, "end": START + hours(4)},
            "validation": {"start": START + hours(5), "end": START + hours(7)},
            "test": {"start": START + hours(8), "end": START + hours(10)},
        }
    )
    train("small", settings, make_model_settings({"warm_up_steps": 3}), files)
    content = json.loads(files.metrics.read_text())
    assert content["training_pairs"] == 4
    assert content["model"] == "small"
    for number, epoch in enumerate(content["epochs"], start=1):
        assert epoch["epoch"] == number
        # Two batches an epoch make one optimizer step; the warm-up rises by quarters of 2e-4.
        assert epoch["step"] == number
        assert epoch["learning_rate"] == pytest.approx(2e-4 * (number + 1) / 4)
        by_variable = epoch["train_loss_by_variable"]
        assert set(by_variable) == set(VARIABLES)
        assert epoch["train_loss"] == pytest.approx(sum(by_variable.values()) / 3)
        # An untrained network predicts next to nothing, so that its error is the variance of v.
        assert 0.3 < epoch["validation_loss"] < 3.0
        training_seconds = 4 / epoch["samples_per_second"]
        assert training_seconds < epoch["seconds"] - epoch["validation_seconds"]
        assert epoch["validation_seconds"] > 0.0
        assert epoch["peak_memory_bytes"] > 1e8
        assert epoch["gradient_norm"] > 0.0
        # Four pairs in two batches of two: one timestep in either half of them.
        levels = epoch["loss_by_noise_level"]
        assert 2 <= len(levels) <= 4
        assert min(levels.values()) <= epoch["train_loss"] <= max(levels.values())
        assert "CPU" in epoch["device"] or torch.cuda.is_available()
    shown = EventAccumulator(str(files.tensorboard_folder)).Reload()
    tags = {
        "loss/training": "train_loss",
        "loss/validation": "validation_loss",
        "learning_rate": "learning_rate",
        "gradient_norm": "gradient_norm",
        "speed/samples_per_second": "samples_per_second",
    }
    for tag, key in tags.items():
        points = {event.step: event.value for event in shown.Scalars(tag)}
        expected = {epoch["step"]: epoch[key] for epoch in content["epochs"]}
        assert points == pytest.approx(expected, rel=1e-6), tag
    last = content["epochs"][-1]
    for group, values in (
        ("loss_by_variable", last["train_loss_by_variable"]),
        ("loss_by_noise_level", last["loss_by_noise_level"]),
    ):
        for name, value in values.items():
            event = shown.Scalars(f"{group}/{name}")[-1]
            assert event.value == pytest.approx(value, rel=1e-6)


def test_validation_takes_no_more_points_at_once_than_training(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    step = TrainingModule.validation_step

    def seen(self: TrainingModule, batch: Batch, index: int) -> object:
        shapes.append(tuple(batch.now.shape))
        return step(self, batch, index)

    monkeypatch.setattr(TrainingModule, "validation_step", seen)
    settings = make_settings(
        periods={
            "training": {"start": START, "end": START + hours(4)},
            "validation": {"start": START + hours(5), "end": START + hours(7)},
            "test": {"start": START + hours(8), "end": START + hours(10)},
        }
    )
    # Four crops of 8 x 8 points; a grid has 13 x 10, and two pairs are validated.
    model = make_model_settings({"epochs": 1, "batch_size": 4, "crop": [8, 8]})
    train("small", settings, model, training_files("one"))
    assert shapes == [(1, 3, 13, 10)] * 2


def test_steps_become_whole_epochs() -> None:
    # 167 pairs: 42 batches of 4, i.e. 21 steps of 2 batches; 100 steps are 4.8 epochs.
    settings = make_model_settings({"epochs": None, "steps": 100, "batch_size": 4})
    assert count_epochs(settings, 167) == (5, 105)
    # The reference: batch 1, accumulation 8; the last step of an epoch has 7 pairs.
    settings = make_model_settings({"epochs": 200, "batch_size": 1, "accumulation": 8})
    assert count_epochs(settings, 167) == (200, 200 * 21)


def test_a_loss_that_is_not_a_number_names_step_variable_and_time(
    training_files: FilesOf,
) -> None:
    files = training_files("one")
    with pytest.raises(StormdrawError, match=r"T2M.* is not a number at optimizer step \d+") as e:
        train("small", make_settings(), make_model_settings({"learning_rate": 1e30}), files)
    assert "2026-06-01" in str(e.value)
    assert "learning_rate" in str(e.value)
    assert not files.model.exists()


def test_a_missing_point_names_file_variable_and_time(
    training_files: FilesOf, tmp_path: Path
) -> None:
    files = training_files("one")
    times = list(hourly(START, START + hours(HOURS)))
    broken = tmp_path / "broken.nc"
    write_fields(broken, times, broken=times[2])
    files = TrainingFiles(**{**vars(files), "fields": [broken]})
    with pytest.raises(StormdrawError, match=r"broken\.nc: D2M at 2026-06-01 02 UTC has 1 missing"):
        train("small", make_settings(), make_model_settings(), files)


def test_statistics_of_other_variables_are_an_error(training_files: FilesOf) -> None:
    with pytest.raises(StormdrawError, match=r"statistics\.nc: made for T2M, D2M, CAPE"):
        train(
            "small", make_settings(variables=["T2M"]), make_model_settings(), training_files("one")
        )


def test_products_are_rounded_as_configured_while_it_trains(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[str] = []

    @contextlib.contextmanager
    def rounded(precision: str, device: torch.device) -> Iterator[None]:
        within.append(precision)
        yield
        within.clear()

    step = TrainingModule.training_step

    def watched(self: TrainingModule, *arguments: object) -> object:
        assert within == ["tf32"]
        return step(self, *arguments)

    monkeypatch.setattr(training, "multiplication_precision", rounded)
    monkeypatch.setattr(TrainingModule, "training_step", watched)
    model = make_model_settings({"epochs": 1, "precision": "tf32"})
    train("small", make_settings(), model, training_files("one"))
    assert within == []


def test_lack_of_memory_is_recognised(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(self: TrainingModule, *arguments: object) -> object:
        return torch.empty(2**50)

    monkeypatch.setattr(TrainingModule, "training_step", too_large)
    with pytest.raises(MemoryRanOutError, match="not enough memory to train with batch_size 2"):
        train("small", make_settings(), make_model_settings(), training_files("one"))
