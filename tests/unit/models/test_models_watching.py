"""What stops a training early, and what it says when memory grows."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
import torch

from stormdraw.models import epoch_clock, gpu_load, watching
from stormdraw.models.metrics import EpochMetrics, MetricsFile
from stormdraw.models.watching import RecordMetrics, StopEarly, WarnOfGrowth


def stops_after(patience: int, losses: list[float], validation: bool) -> int | None:
    """The epoch after which a training with these losses stops, if any."""
    record: Any = SimpleNamespace(epochs=[])
    trainer: Any = SimpleNamespace(should_stop=False)
    callback = StopEarly(patience, record)
    for number, loss in enumerate(losses, start=1):
        # If validation is there, the training's loss, which goes on falling, does not count.
        record.epochs.append(
            {
                "train_loss": -float(number) if validation else loss,
                "validation_loss": loss if validation else None,
            }
        )
        callback.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
        if trainer.should_stop:
            return number
    return None


@pytest.mark.parametrize("validation", [True, False])
def test_stops_when_the_best_epoch_is_far_behind(validation: bool) -> None:
    assert stops_after(2, [5.0, 4.0, 4.5, 4.2, 1.0], validation) == 4
    assert stops_after(3, [5.0, 4.0, 4.5, 4.2, 3.9, 3.8], validation) is None
    assert stops_after(1, [5.0, 5.0], validation) == 2
    assert stops_after(3, [1.0, 2.0, 3.0], validation) is None


class Epoch:
    """An epoch of batches of two samples, as a trainer tells a record of it."""

    def __init__(self, path: Path, resumed: dict[str, Any] | None = None) -> None:
        self.record = RecordMetrics(MetricsFile(path, {}), ("T2M",), "x")
        if resumed is not None:
            self.record.load_state_dict(resumed)
        optimizer = SimpleNamespace(param_groups=[{"lr": 1e-3}])
        self.trainer: Any = SimpleNamespace(
            global_step=0, optimizers=[optimizer], logger=None, max_epochs=1
        )
        self.record.on_train_start(self.trainer, None)  # type: ignore[arg-type]

    def batch(self, gradient_norm: float) -> None:
        """One that ends with an optimizer step."""
        self.trainer.global_step += 1
        module: Any = SimpleNamespace(gradient_norm=torch.tensor(gradient_norm))
        outputs = {"losses": torch.ones(2, 1)}
        self.record.on_train_batch_end(self.trainer, module, outputs, None, 0)

    def end(self) -> dict[str, Any]:
        """What the record says of it."""
        self.record.on_train_epoch_end(self.trainer, None)  # type: ignore[arg-type]
        return self.record.epochs[-1]


def test_a_step_that_float16_skips_has_no_norm(tmp_path: Path) -> None:
    epoch = Epoch(tmp_path / "metrics.json")
    for norm in (float("inf"), 2.0, float("nan"), 4.0):
        epoch.batch(norm)
    assert epoch.end()["gradient_norm"] == 3.0


def test_speed_is_of_training_alone_and_seconds_are_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(epoch_clock.time, "monotonic", lambda: now)
    epoch = Epoch(tmp_path / "metrics.json")
    for _ in range(2):
        now += 1.0  # the last epoch's resume file
        epoch.record.on_train_epoch_start(epoch.trainer, None)  # type: ignore[arg-type]
        for _ in range(4):
            now += 0.5
            epoch.batch(1.0)
        epoch.record.on_validation_epoch_start(epoch.trainer, None)  # type: ignore[arg-type]
        now += 30.0
        said = epoch.end()
    # Eight samples in two seconds; then 30 of validation, and one of saving before them.
    assert said["samples_per_second"] == 8 / 2.0
    assert (said["validation_seconds"], said["seconds"]) == (30.0, 33.0)


def test_a_resumed_epoch_keeps_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(epoch_clock.time, "monotonic", lambda: now)
    first = Epoch(tmp_path / "metrics.json")
    now += 2.0
    first.batch(1.0)
    state = first.record.state_dict()
    now += 100.0  # nobody trains
    second = Epoch(tmp_path / "metrics.json", state)
    now += 2.0
    second.batch(1.0)
    said = second.end()
    assert (said["samples_per_second"], said["seconds"]) == (4 / 4.0, 4.0)


def warnings_of(
    sizes: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    accumulation: int = 1,
    validation_after: tuple[int, ...] = (),
) -> list[str]:
    """What is said of memory that has these sizes after each batch."""
    callback = WarnOfGrowth()
    trainer: Any = SimpleNamespace(global_step=40)  # a resumed training
    callback.on_train_start(trainer, None)  # type: ignore[arg-type]
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="stormdraw"):
        for index, size in enumerate(sizes):
            trainer.global_step = 40 + (index + 1) // accumulation
            monkeypatch.setattr(watching, "present_memory", lambda size=size: size)
            callback.on_train_batch_end(trainer, None, None, None, index)  # type: ignore[arg-type]
            if index + 1 in validation_after:
                callback.on_validation_end(trainer, None)  # type: ignore[arg-type]
    return [record.message for record in caplog.records]


def gigabytes(*sizes: int) -> list[int]:
    return [10**9 * size for size in sizes]


def test_warns_once_of_growing_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = warnings_of(gigabytes(1, 5, 10, 11, 12, 13, 14, 15), monkeypatch, caplog)
    assert said == ["memory has grown from 10.00 to 13.00 GB between optimizer steps 3 and 6"]
    # Growth before the third step is no leak, and a fifth is allowed.
    assert warnings_of(gigabytes(1, 5, 10, 12, 10, 12), monkeypatch, caplog) == []


def test_the_optimizers_moments_are_no_leak(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Weights and gradients until the first step at the fourth batch, then two moments as well.
    sizes = gigabytes(*(2,) * 3, *(4,) * 20)
    assert warnings_of(sizes, monkeypatch, caplog, accumulation=4) == []
    leaking = gigabytes(*(2,) * 3, *(4,) * 12, 6, 6)
    said = warnings_of(leaking, monkeypatch, caplog, accumulation=4)
    assert said == ["memory has grown from 4.00 to 6.00 GB between optimizer steps 3 and 4"]


def test_memory_of_the_first_validation_is_no_leak(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = gigabytes(*(4,) * 5, *(8,) * 5)
    assert warnings_of(sizes, monkeypatch, caplog, validation_after=(5,)) == []
    assert len(warnings_of(sizes, monkeypatch, caplog, validation_after=(2,))) == 1
    # A second one has nothing to leave.
    more = [*sizes, *gigabytes(12, 12)]
    assert len(warnings_of(more, monkeypatch, caplog, validation_after=(5, 10))) == 1


def test_the_gpu_load_is_read_where_it_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_load.current_load() is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 45)
    assert gpu_load.current_load() == 0.45

    for error in (ModuleNotFoundError("amdsmi"), RuntimeError("no driver"), not_supported()):

        def does_not_tell(error: Exception = error) -> int:
            raise error

        monkeypatch.setattr(torch.cuda, "utilization", does_not_tell)
        assert gpu_load.current_load() is None


def not_supported() -> Exception:
    """What a part of a GPU answers (MIG)."""
    return pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


def test_the_load_of_an_epoch_is_a_mean_of_samples_a_second_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, busy = 100.0, 0.0
    monkeypatch.setattr(gpu_load.time, "monotonic", lambda: now)
    monkeypatch.setattr(gpu_load, "current_load", lambda: busy)
    load = gpu_load.GpuLoad()
    for second, share in ((0.0, 0.2), (0.5, 0.9), (1.0, 0.6), (2.5, 0.7)):
        now, busy = 100.0 + second, share
        load.sample()
    assert load.take_mean() == pytest.approx((0.2 + 0.6 + 0.7) / 3)
    assert load.take_mean() is None


def test_what_tensorboard_shows_besides_losses() -> None:
    metrics = EpochMetrics(
        *(1, 2, 0.5, {"T2M": 0.5}, None, 1e-3, 4.0, 2.0, 1.0, 3.0, {}),
        physics_violations={"cape": 0.25},
        peak_memory_bytes=3 * 10**9,
        gpu_utilisation=0.75,
        device="x",
    )
    shown = metrics.scalars()
    assert shown["physics_violations/cape"] == 0.25
    assert shown["speed/gpu_utilisation"] == 0.75
    assert shown["memory/peak_gigabytes"] == 3.0
    assert "loss/validation" not in shown
