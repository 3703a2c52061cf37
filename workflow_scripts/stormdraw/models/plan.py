"""`plan.json`: what a training and a sampling will need, before either starts."""

import json
from pathlib import Path
from typing import Any

from stormdraw.files import write_text
from stormdraw.models.memory import sampling_bytes, training_memory
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings

# Python, torch, Lightning and the NetCDF library before any data: resident size after import, as
# measured with torch 2.13 for CPUs, rounded up.
PROCESS_BYTES = 700_000_000


def plan(
    name: str, settings: Settings, model_settings: ModelSettings, shape: tuple[int, int]
) -> dict[str, Any]:
    """The plan of one model on a grid of `shape` (y, x).

    Nothing of the size of the model or the grid is allocated. Byte counts are for float32.
    """
    training = model_settings.training
    variables = len(settings.variables)
    memory = training_memory(model_settings, variables, shape)
    state = 4 * variables * shape[0] * shape[1]
    data = _data_bytes(settings, state, training.data_gigabytes * 1e9)
    one_member = sampling_bytes(model_settings, variables, shape)
    bound = settings.ensembles.batch_gigabytes * 1e9
    together = min(max(1, int(bound // one_member)), settings.ensembles.members)
    return {
        "model": name,
        "grid": list(shape),
        "variables": list(settings.variables),
        "parameters": memory.parameters,
        "choices": {
            "batch_size": training.batch_size,
            "accumulation": training.accumulation,
            "precision": training.precision,
            "data_in_memory": data > 0,
        },
        "training_bytes": {
            "weights": memory.weights,
            "gradients": memory.gradients,
            "optimizer": memory.optimizer,
            "average": memory.average,
            "saved_activations": memory.saved_activations,
            "activations": memory.activations,
            "device_peak": memory.peak,
            "data": data,
            "process": PROCESS_BYTES,
            "peak": memory.peak + data + 2 * training.batch_size * state + PROCESS_BYTES,
        },
        "sampling_bytes": {
            "member": one_member,
            "members_at_once": together,
            "device_peak": memory.weights + together * one_member,
            "process": PROCESS_BYTES,
            "peak": memory.weights + together * one_member + PROCESS_BYTES,
        },
    }


def write_plan(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    shape: tuple[int, int],
    output: Path,
) -> None:
    """Write `results/models/{model}/plan.json`."""
    content = plan(name, settings, model_settings, shape)
    write_text(output, json.dumps(content, indent=1) + "\n")


def _data_bytes(settings: Settings, state: int, bound: float) -> int:
    """What the states of all training and validation hours take in memory; 0 if read from disk."""
    total = 0
    periods = settings.periods
    for period in (periods.training, periods.validation):
        needed = 0 if period is None else state * len(period.times())
        total += needed if total + needed <= bound else 0
    return total
