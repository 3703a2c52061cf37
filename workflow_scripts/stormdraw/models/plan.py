"""`plan.json`: the memory that training and sampling will need, before either starts."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormdraw.archive.driving_needs import forecasts_to_learn_from
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import driving_points
from stormdraw.fields.own_grid import BYTES_A_POINT
from stormdraw.files import write_text
from stormdraw.models.ladder import Fit, Memory, climb
from stormdraw.models.memory import (
    TrainingMemory,
    model_without_data,
    sampling_bytes,
    training_memory,
)
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training_settings import Training
from stormdraw.roles import Roles
from stormdraw.settings import Settings

# Python, torch, Lightning and the NetCDF library before any data: resident size after import,
# measured with torch 2.13 for CPUs, rounded up.
PROCESS_BYTES = 600_000_000

# Gaps in the heap of the C library, as a share of its contents. The resident memory of a training
# of 265 x 450 points was 1.36 times its live storages, and 1.43 times for 530 x 900 points. Without
# a heap (MALLOC_MMAP_THRESHOLD_=1000000) both took 1.00 times.
HEAP_GAPS = 0.45

# What the ladder may change; a training takes these values from its plan.
_CHOSEN_OF_TRAINING = (
    "batch_size",
    "accumulation",
    "precision",
    "compile",
    "activation_checkpointing",
    "sharding",
    "crop",
)
_OF_TRAINING = ("devices", "choices", "device_memory", "training_bytes")
_CHOSEN_OF_MODEL = ("history", "history_as", "network")


def plan(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    shape: tuple[int, int],
    forecaster: ModelSettings | None = None,
) -> dict[str, Any]:
    """The plan of one model on a grid of `shape` (y, x).

    `forecaster` is the model whose states a perturbation model learns from and perturbs; both are
    in memory together. Nothing of the size of the model or the grid is allocated. If the device's
    memory is stated, the plan is that of the first setting that fits, or of the smallest one if
    none does.
    """
    run = settings.roles
    other = _ForecasterMemory.of(forecaster, run, shape)
    gigabytes = model_settings.training.device_memory_gigabytes
    bound = float("inf") if gigabytes is None else gigabytes * 1e9 - other.peak
    fit = climb(model_settings, shape, bound, memory_of(settings, shape))
    chosen, memory = fit.chosen.settings, fit.chosen.memory
    training, roles = chosen.training, chosen.roles_of(run)
    stepping = forecaster or chosen
    data = _data_bytes(settings, chosen, stepping, shape)
    weights = _weights_of_driving(settings, stepping, shape)
    state = 4 * shape[0] * shape[1] * (len(roles.every) + len(_driving_of(stepping)))
    return {
        "model": name,
        "grid": list(shape),
        "variables": list(roles.every),
        **({"roles": roles.by_role()} if roles.differ else {}),
        "parameters": memory.parameters,
        "devices": training.devices,
        "choices": {
            **training.model_dump(mode="json", include=set(_CHOSEN_OF_TRAINING)),
            **chosen.model_dump(mode="json", include=set(_CHOSEN_OF_MODEL)),
            "data_in_memory": data > 0,
        },
        "device_memory": _verdict(fit),
        "training_bytes": {
            "weights": memory.weights,
            "gradients": memory.gradients,
            "optimizer": memory.optimizer,
            "average": memory.average,
            "saved_activations": memory.saved_activations,
            "activations": memory.activations,
            "validation": memory.validation,
            **({} if forecaster is None else {"forecaster": other.peak}),
            "device_peak": memory.peak + other.peak,
            "data": data,
            **({"driving_weights": weights} if weights else {}),
            "heap_gaps": int(HEAP_GAPS * memory.in_heap),
            "gathered": _gathered(training, memory),
            "process": PROCESS_BYTES,
            "peak": _host_peak(chosen, memory, data + weights, state, other.peak),
        },
        "sampling_bytes": _sampling(settings, chosen, shape, memory, other),
    }


def memory_of(settings: Settings, shape: tuple[int, int]) -> Memory:
    """A function that gives the memory of a configuration in this run, on a (y, x) grid."""
    validates = settings.periods.validation is not None
    return lambda each: training_memory(each, settings.roles, shape, validates)


def write_plan(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    shape: tuple[int, int],
    output: Path,
    forecaster: ModelSettings | None = None,
    more: Mapping[str, Any] | None = None,
    trained: bool = True,
) -> None:
    """Write `results/models/{model}/plan.json`, with `more` entries.

    That of a model that is not `trained` in this run says nothing of a training.
    """
    content = plan(name, settings, model_settings, shape, forecaster) | dict(more or {})
    if not trained:
        content = {key: value for key, value in content.items() if key not in _OF_TRAINING}
    write_text(output, json.dumps(content, indent=1) + "\n")


def as_planned(model_settings: ModelSettings, path: Path, name: str) -> ModelSettings:
    """A configuration with the choices of its plan, which make it fit the memory.

    Raises StormdrawError if nothing fits, stating by how much.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    verdict = content["device_memory"]
    if verdict is not None and not verdict["fits"]:
        raise StormdrawError(
            f"model {name}: does not fit training.device_memory_gigabytes "
            f"({model_settings.training.device_memory_gigabytes:g}): "
            f"{verdict['missing_bytes'] / 1e9:.3g} GB are missing with the smallest possible "
            f"setting ({path} lists those tried); choose a smaller network, more devices, or set "
            "a larger memory"
        )
    choices = content["choices"]
    written = model_settings.model_dump(mode="json")
    written |= {key: choices[key] for key in _CHOSEN_OF_MODEL}
    written["training"] |= {key: choices[key] for key in _CHOSEN_OF_TRAINING}
    return ModelSettings.model_validate(written)


def write_smaller_plan(path: Path, content: dict[str, Any], change: str) -> None:
    """Replace a plan by that of a smaller training, noting the change made when memory ran out."""
    before = json.loads(path.read_text(encoding="utf-8"))
    ran_out = [*before.get("out_of_memory", []), change]
    kept = {"device_memory": before["device_memory"], "out_of_memory": ran_out}
    write_text(path, json.dumps(content | kept, indent=1) + "\n")


@dataclass(frozen=True)
class _ForecasterMemory:
    """Bytes of a forecaster that only forecasts: its weights, and one pass over the grid."""

    weights: int
    one_pass: int

    @classmethod
    def of(
        cls, forecaster: ModelSettings | None, run: Roles, shape: tuple[int, int]
    ) -> "_ForecasterMemory":
        """The memory of a forecaster, or zeros if there is none."""
        if forecaster is None:
            return cls(0, 0)
        model = model_without_data(forecaster, run)
        weights = sum(each.nbytes for each in model.parameters())
        return cls(weights, sampling_bytes(forecaster, run, shape))

    @property
    def peak(self) -> int:
        """The total."""
        return self.weights + self.one_pass


def _verdict(fit: Fit) -> dict[str, Any] | None:
    """The rungs tried to fit the stated memory, or None if no memory is stated."""
    if fit.bound == float("inf"):
        return None
    return {
        "bound_bytes": int(fit.bound),
        "fits": fit.missing == 0,
        "missing_bytes": fit.missing,
        "tried": [{"change": rung.change, "peak_bytes": rung.peak} for rung in fit.rungs],
    }


def _host_peak(
    settings: ModelSettings, memory: TrainingMemory, data: int, state: int, forecaster: int
) -> int:
    """Total main memory in bytes if the device is the CPU: processes, data and buffers."""
    training = settings.training
    # Batches that wait, the one being made and the one in use, each with the state of every hour of
    # its samples.
    hours = 1 + training.hours_ahead
    batches = (
        (training.prefetch_batches + 2) * hours * -(-training.batch_size // training.processes)
    )
    gaps = int(HEAP_GAPS * memory.in_heap)
    each = memory.peak + forecaster + gaps + data + batches * state + PROCESS_BYTES
    return training.devices * each + _gathered(training, memory)


def _gathered(training: Training, memory: TrainingMemory) -> int:
    """Main memory in bytes of the first process while sharded tensors are saved, on any device."""
    return memory.gathered if training.sharding == "full" else 0


def _data_bytes(
    settings: Settings, chosen: ModelSettings, stepping: ModelSettings, shape: tuple[int, int]
) -> int:
    """The memory of the states of all training and validation hours; 0 if read from disk.

    The inputs of all hours and what drives them come first. If another model is `stepping`, as the
    forecaster of a perturbation model is, each hour has two states, its analysis and a forecast
    from it; the forecasts are kept if the analyses are.
    """
    run, field = settings.roles, 4 * shape[0] * shape[1]
    bound = chosen.training.data_gigabytes * 1e9
    periods = (settings.periods.training, settings.periods.validation)
    counts = [0 if period is None else len(period.times()) for period in periods]
    apart = [field * len(stepping.roles_of(run).input) * sum(counts)]
    if driving := _driving_of(stepping):
        of_one = 4 * _points_of_driving(settings, shape) * len(driving)
        apart.append(of_one * len(forecasts_to_learn_from(settings)))
    total = 0
    for each in apart:
        total += each if total + each <= bound else 0
    state = field * len(chosen.roles_of(run).forecast)
    for count in counts:
        for _ in range(1 if stepping is chosen else 2):
            if total + state * count > bound:
                break
            total += state * count
    return total


def _driving_of(model: ModelSettings) -> tuple[str, ...]:
    """The variables that drive a model."""
    return () if model.driven_by is None else model.driven_by.variables


def _points_of_driving(settings: Settings, shape: tuple[int, int]) -> int:
    """The points of the grid that what drives the run is kept on, which are never more than ours.

    A mirror's grid may be known from its fields, of `shape`, only.
    """
    return min(driving_points(settings), math.prod(shape))


def _weights_of_driving(settings: Settings, stepping: ModelSettings, shape: tuple[int, int]) -> int:
    """Bytes of the weights that put on our grid what drives a model, if it is on its own."""
    own = _driving_of(stepping) and _points_of_driving(settings, shape) < math.prod(shape)
    return BYTES_A_POINT * math.prod(shape) if own else 0


def _sampling(
    settings: Settings,
    chosen: ModelSettings,
    shape: tuple[int, int],
    memory: TrainingMemory,
    other: _ForecasterMemory,
) -> dict[str, int]:
    """Bytes while members are drawn, and how many are drawn together."""
    member = max(sampling_bytes(chosen, settings.roles, shape), other.one_pass)
    bound = settings.ensembles.batch_gigabytes * 1e9
    together = min(max(1, int(bound // member)), settings.ensembles.members)
    peak = 4 * memory.parameters + other.weights + together * member
    return {
        "member": member,
        "members_at_once": together,
        "device_peak": peak,
        "process": PROCESS_BYTES,
        "peak": peak + PROCESS_BYTES,
    }
