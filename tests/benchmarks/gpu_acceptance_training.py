"""Whole trainings for gpu_acceptance.py: from day files, interrupted, on one device and another."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import xarray as xr
from synthetic_hours import HOURS, START, make_model_settings, make_settings

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import compute_statistics, write_statistics
from stormdraw.grids import Grid
from stormdraw.models import training
from stormdraw.models.engine import TrainingModule
from stormdraw.models.training_files import TrainingFiles
from stormdraw.times import hourly, hours
from stormdraw.variables import DEFAULT_STATE


def files_of(data: Path, grid: Grid, run: str) -> TrainingFiles:
    """Eight hours of random fields, written unless they are there, and a folder for a training."""
    day, statistics = data / "day.nc", data / "statistics.nc"
    times = list(hourly(START, START + hours(HOURS - 1)))
    if not statistics.exists():
        data.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(1)
        time = xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")
        with written_in_parts(day, grid, {"time": time}, {n: n for n in DEFAULT_STATE}, {}) as file:
            for index in range(HOURS):
                for name in DEFAULT_STATE:
                    values = random.normal(280, 5, size=grid.shape)
                    file[name][index] = values - 280 * (name != "T2M")
        write_statistics(compute_statistics([day], DEFAULT_STATE, times), statistics, {})
    own = data / run
    return TrainingFiles(
        fields=[day],
        statistics=statistics,
        static=None,
        model=own / "model.pt",
        metrics=own / "metrics.json",
        resume_folder=own / "resume",
        tensorboard_folder=own / "tensorboard",
    )


def train(device: torch.device, files: TrainingFiles, epochs: int, precision: str) -> list[Any]:
    """What `metrics.json` says of each epoch of a training of a small network on seven pairs."""
    settings = {"epochs": epochs, "batch_size": 1, "accumulation": 1, "precision": precision}
    model = make_model_settings(settings, forcings=[])
    with patch.object(training, "choose_device", lambda number=0: device):
        training.train("small", make_settings(variables=list(DEFAULT_STATE)), model, files, 2)
    epochs_done: list[Any] = json.loads(files.metrics.read_text(encoding="utf-8"))["epochs"]
    return epochs_done


@contextmanager
def stopped_at(batch: int) -> Iterator[None]:
    """Within the block a training is told to stop at its `batch`-th batch, and is over."""
    step, count = TrainingModule.training_step, 0

    def stopping(self: TrainingModule, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count == batch:
            signal.raise_signal(signal.SIGTERM)
        return step(self, *given)

    with patch.object(TrainingModule, "training_step", stopping), suppress(KeyboardInterrupt):
        yield


def resuming(device: torch.device, folder: Path) -> dict[str, Any]:
    """Train on the device, the CPU and the device again, and the same on the CPU alone.

    The losses of the epochs may differ by rounding only, which grows from step to step.
    """
    grid, cpu = HRRR.crop(slice(500, 548), slice(900, 964)), torch.device("cpu")
    whole = train(cpu, files_of(folder / "small", grid, "whole"), 3, "float32")
    broken = files_of(folder / "small", grid, "broken")
    for where in (device, cpu):
        with stopped_at(9):
            train(where, broken, 3, "float32")
            return {"failed": "a training did not stop at the signal"}
    epochs = train(device, broken, 3, "float32")
    if [epoch["step"] for epoch in epochs] != [epoch["step"] for epoch in whole]:
        return {"failed": "steps are missing or there twice"}
    pairs = zip(epochs, whole, strict=True)
    largest = max(abs(a["train_loss"] / b["train_loss"] - 1) for a, b in pairs)
    return {"largest": largest, "limit": 1e-3}


def loading(device: torch.device, shape: tuple[int, int], folder: Path) -> dict[str, Any]:
    """Samples a second of a training that reads states from a file, and how busy the GPU was."""
    grid = HRRR if shape == HRRR.shape else HRRR.crop(slice(0, shape[0]), slice(0, shape[1]))
    files = files_of(folder / "read", grid, "training")
    last = train(device, files, 4 if device.type == "cuda" else 2, "auto")[-1]
    return {
        "samples_a_second": last["samples_per_second"],
        "gpu_utilisation": last["gpu_utilisation"],
    }
