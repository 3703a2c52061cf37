"""Trains as large as memory allows: when it runs out, the next rung of the ladder is taken."""

import gc
import logging
from pathlib import Path

import torch

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.fields.states import read_grid_of
from stormdraw.models.devices import choose_device, native_half, resolve_precision
from stormdraw.models.ladder import next_rung
from stormdraw.models.launch import train_on_devices
from stormdraw.models.operations import work_of
from stormdraw.models.plan import as_planned, memory_of, plan, write_smaller_plan
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.training_settings import Precision
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)


def train_within_memory(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    files: TrainingFiles,
    plan_file: Path,
    threads: int = 1,
    forecaster: ModelSettings | None = None,
) -> None:
    """Train a model as planned, or smaller if that does not fit the memory.

    Changes are logged and written into the plan, and the training resumes from its last resume
    file; with fewer frames or a smaller network it restarts. `forecaster` is the configuration of
    the model whose states a perturbation model learns from.

    Raises what `train` raises, and StormdrawError if memory runs out and nothing is left to change.
    """
    chosen = as_planned(model_settings, plan_file, name)
    shape = read_grid_of(files.fields[0]).shape
    while True:
        ran_out = _try_training(name, settings, chosen, files, threads)
        if ran_out is None:
            return
        chosen, half = _precision_used(chosen)
        rung = next_rung(chosen, shape, memory_of(settings, shape), half)
        if rung is None:
            raise StormdrawError(
                f"{ran_out}, even with the smallest setting ({plan_file} lists those tried); "
                "choose a smaller network or a device with more memory"
            )
        logger.warning("%s; continuing with %s", ran_out, rung.change)
        chosen = rung.settings
        content = plan(name, settings, chosen, shape, forecaster)
        content["work"] = work_of(settings, chosen, shape, forecaster)
        write_smaller_plan(plan_file, content, rung.change)


def _try_training(
    name: str,
    settings: Settings,
    chosen: ModelSettings,
    files: TrainingFiles,
    threads: int,
) -> str | None:
    """Train; if memory runs out, release it and return the message."""
    try:
        train_on_devices(name, settings, chosen, files, threads)
        return None
    except MemoryRanOutError as error:
        message = str(error)
    # After the except block: an exception keeps the frames it passed, and these the model.
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    return message


def _precision_used(chosen: ModelSettings) -> tuple[ModelSettings, Precision]:
    """The configuration with the half precision that was used, if any, and the device's own one.

    With several devices, this process does not query the device, which would take memory there.
    """
    if chosen.training.processes > 1:
        return chosen, "bfloat16"
    device = choose_device()
    precision = resolve_precision(chosen.training.precision, device)
    if precision != "float32":
        training = chosen.training.model_copy(update={"precision": precision})
        chosen = chosen.model_copy(update={"training": training})
    return chosen, native_half(device)
