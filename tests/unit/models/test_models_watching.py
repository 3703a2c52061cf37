"""What stops a training early, and what it says when memory grows."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stormdraw.models import watching
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

    def __init__(self, path: Path) -> None:
        self.record = RecordMetrics(MetricsFile(path, {}), ("T2M",), "x")
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


def warnings_of(
    sizes: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> list[str]:
    callback = WarnOfGrowth()
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="stormdraw"):
        for index, size in enumerate(sizes):
            monkeypatch.setattr(watching, "present_memory", lambda size=size: size)
            callback.on_train_batch_end(None, None, None, None, index)  # type: ignore[arg-type]
    return [record.message for record in caplog.records]


def test_warns_once_of_growing_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gigabyte = 10**9
    growing = [gigabyte * n for n in (1, 5, 10, 11, 12, 13, 14, 15)]
    said = warnings_of(growing, monkeypatch, caplog)
    assert said == ["memory has grown from 10.00 to 13.00 GB between batch 3 and 6"]
    # Growth before the third batch is no leak, and a fifth is allowed.
    level = [gigabyte * n for n in (1, 5, 10, 12, 10, 12)]
    assert warnings_of(level, monkeypatch, caplog) == []


def test_a_gpu_tells_its_utilisation_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching.torch.cuda, "is_available", lambda: False)
    assert watching.gpu_utilisation() is None
    monkeypatch.setattr(watching.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(watching.torch.cuda, "utilization", lambda: 45)
    assert watching.gpu_utilisation() == 0.45

    def no_bindings() -> int:
        raise ModuleNotFoundError("pynvml")

    monkeypatch.setattr(watching.torch.cuda, "utilization", no_bindings)
    assert watching.gpu_utilisation() is None


def test_what_tensorboard_shows_besides_losses() -> None:
    metrics = EpochMetrics(
        *(1, 2, 0.5, {"T2M": 0.5}, None, 1e-3, 4.0, 2.0, 3.0, {}),
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
