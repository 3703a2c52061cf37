"""Memory runs out: the next rung is taken, told, and the training goes on where it was."""

import json
import logging
import signal
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings, small_grid

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models import within_memory
from stormdraw.models.checkpoint import load_model
from stormdraw.models.engine import TrainingModule
from stormdraw.models.operations import work_of
from stormdraw.models.pairs import Batch
from stormdraw.models.plan import as_planned, write_plan
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import _explained_failures
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.within_memory import _precision_used, train_within_memory
from stormdraw.roles import Roles

FilesOf = Callable[[str], TrainingFiles]


class Device:
    """A device on which a step of more than `largest` samples does not fit.

    `sizes` are those of all steps that did, `tried` those of all that did not.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fits: Callable[[Any, Batch], bool]) -> None:
        self.sizes: list[int] = []
        self.tried: list[int] = []
        step = TrainingModule.training_step

        def bounded(module: TrainingModule, batch: Batch, index: int) -> object:
            if not fits(module, batch):
                self.tried.append(len(batch.now))
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")
            self.sizes.append(len(batch.now))
            return step(module, batch, index)

        monkeypatch.setattr(TrainingModule, "training_step", bounded)


def at_most(samples: int) -> Callable[[Any, Batch], bool]:
    return lambda module, batch: len(batch.now) <= samples


def run(files: TrainingFiles, model_settings: ModelSettings) -> dict[str, Any]:
    """Plan if there is no plan, train, and give the plan that is there then."""
    path = files.model.parent / "plan.json"
    if not path.exists():
        write_plan("small", make_settings(), model_settings, small_grid().shape, path)
    train_within_memory("small", make_settings(), model_settings, files, path)
    return json.loads(path.read_text())


def test_a_smaller_batch_of_the_same_samples(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    device, files = Device(monkeypatch, at_most(1)), training_files("one")
    settings = make_model_settings(
        {"epochs": 2, "batch_size": 4, "accumulation": 1, "device_memory_gigabytes": 1}
    )
    with caplog.at_level(logging.WARNING, logger="stormdraw"):
        content = run(files, settings)
    assert device.tried == [4, 2]
    assert device.sizes == [1] * 14  # seven pairs, twice
    assert content["choices"]["batch_size"] == 1
    # What was planned for the stated memory is still told.
    (planned,) = content["device_memory"]["tried"]
    assert planned["peak_bytes"] > content["training_bytes"]["device_peak"]
    rungs = [f"training.batch_size: {b}, training.accumulation: {a}" for b, a in ((2, 2), (1, 4))]
    assert content["out_of_memory"] == rungs
    said = [record.message for record in caplog.records]
    assert said == [
        f"model small: not enough memory to train with batch_size {size}; continuing with {rung}"
        for size, rung in zip((4, 2), rungs, strict=True)
    ]
    # As many optimizer steps as with batches of four: seven pairs are 4 and 3.
    epochs = json.loads(files.metrics.read_text())["epochs"]
    assert [epoch["step"] for epoch in epochs] == [2, 4]
    # A rerun begins with what fitted.
    chosen = as_planned(settings, files.model.parent / "plan.json", "small")
    assert (chosen.training.batch_size, chosen.training.accumulation) == (1, 4)


def test_continues_from_the_last_resume_file(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The third epoch is too much, say since another job has come to the device.
    device = Device(
        monkeypatch, lambda module, batch: module.current_epoch < 2 or len(batch.now) == 1
    )
    files = training_files("one")
    run(files, make_model_settings({"epochs": 3, "batch_size": 2, "accumulation": 2}))
    assert device.tried == [2]
    # Two epochs of 2, 2, 2 and 1 are kept.
    assert device.sizes == [2, 2, 2, 1] * 2 + [1] * 7
    epochs = json.loads(files.metrics.read_text())["epochs"]
    assert [(epoch["epoch"], epoch["step"]) for epoch in epochs] == [(1, 2), (2, 4), (3, 6)]


@pytest.mark.parametrize("batch", [2, 4])
def test_continues_within_an_epoch(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    files = training_files("one")
    settings = make_model_settings({"epochs": 2, "batch_size": 2, "accumulation": 2})
    seen: list[tuple[Any, ...]] = []
    indices: list[int] = []
    step = TrainingModule.training_step

    def watched(module: TrainingModule, batch: Batch, index: int) -> object:
        seen.extend((module.current_epoch, time) for time in batch.times)
        indices.append(index)
        if len(seen) in (asked, asked + 1) and not stopped:
            stopped.append(True)
            signal.raise_signal(signal.SIGTERM)
        return step(module, batch, index)

    # Asked to stop in this batch, the training does so at the end of its window.
    asked, stopped = {2: 4, 4: 7}[batch], []
    monkeypatch.setattr(TrainingModule, "training_step", watched)
    with pytest.raises(KeyboardInterrupt):
        run(files, settings)
    assert len(seen) == asked
    indices.clear()
    device = Device(monkeypatch, at_most(1))
    content = run(files, settings)
    assert device.tried == [2]
    assert content["out_of_memory"] == ["training.batch_size: 1, training.accumulation: 4"]
    # Counted in the smaller batches, so that windows end where they should.
    assert indices == [*range({2: 4, 4: 7}[batch], 7), *range(7)]
    # Each pair once an epoch, whatever the batches were.
    assert len(seen) == len(set(seen)) == 14
    epochs = json.loads(files.metrics.read_text())["epochs"]
    assert [(epoch["epoch"], epoch["step"]) for epoch in epochs] == [(1, 2), (2, 4)]


def test_a_smaller_network_begins_anew_and_is_taken_for_the_model(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow_or_early(module: Any, batch: Batch) -> bool:
        width = module.model.settings.network["base_channels"]
        return width < 16 or module.current_epoch == 0

    Device(monkeypatch, narrow_or_early)
    files = training_files("one")
    settings = make_model_settings(
        {"epochs": 2, "batch_size": 1, "accumulation": 2}, network={"base_channels": 16}
    )
    content = run(files, settings)
    assert content["out_of_memory"][-1] == "network.base_channels: 8"
    assert content["choices"]["network"] == {"base_channels": 8}
    epochs = json.loads(files.metrics.read_text())["epochs"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    trained = load_model(files.model, torch.device("cpu"), Roles(predicted=VARIABLES))
    assert trained.model.settings.network == {"base_channels": 8}
    assert sum(each.numel() for each in trained.model.parameters()) == content["parameters"]
    assert content["work"] == work_of(make_settings(), trained.model.settings, small_grid().shape)
    assert list(files.resume_folder.iterdir()) == []


def test_an_error_if_no_smaller_setting_is_left(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    Device(monkeypatch, at_most(0))
    files = training_files("one")
    smallest = {"batch_size": 1, "activation_checkpointing": 1.0, "may_shrink": False}
    with pytest.raises(StormdrawError, match=r"batch_size 1, even with .* setting .*plan\.json"):
        run(files, make_model_settings(smallest))
    content = json.loads((files.model.parent / "plan.json").read_text())
    assert content["out_of_memory"] == ["training.precision: bfloat16"]
    assert not files.model.exists()


def test_another_error_changes_nothing(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(module: Any, batch: Batch) -> bool:
        raise RuntimeError("device-side assert triggered")

    Device(monkeypatch, broken)
    files = training_files("one")
    with pytest.raises(RuntimeError, match="device-side"):
        run(files, make_model_settings())
    content = json.loads((files.model.parent / "plan.json").read_text())
    assert "out_of_memory" not in content


def test_memory_of_a_failed_training_is_released(
    training_files: FilesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[Any]] = []

    def remember(module: Any, batch: Batch) -> bool:
        held.append(weakref.ref(module.model.network))
        return len(batch.now) == 1

    alive: list[bool] = []
    next_rung = within_memory.next_rung

    def look(*arguments: Any) -> Any:
        alive.extend(each() is not None for each in held)
        return next_rung(*arguments)

    Device(monkeypatch, remember)
    monkeypatch.setattr(within_memory, "next_rung", look)
    run(training_files("one"), make_model_settings({"epochs": 1, "batch_size": 2}))
    assert alive == [False]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["torch", "processor", "cublas", "cudnn"],
)
def test_lack_of_memory_in_libraries_is_recognised(error: RuntimeError) -> None:
    training = make_model_settings().training
    with (
        pytest.raises(MemoryRanOutError, match="batch_size 2"),
        _explained_failures("small", training),
    ):
        raise error


def test_half_precision_that_a_device_has_chosen_is_no_rung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(within_memory, "resolve_precision", lambda asked, device: "bfloat16")
    chosen, half = _precision_used(make_model_settings({"precision": "auto"}))
    assert (chosen.training.precision, half) == ("bfloat16", "bfloat16")


def test_a_process_that_only_starts_others_does_not_query_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(within_memory, "choose_device", lambda: pytest.fail("asked"))
    settings = make_model_settings({"devices": 2, "batch_size": 2})
    assert _precision_used(settings) == (settings, "bfloat16")
