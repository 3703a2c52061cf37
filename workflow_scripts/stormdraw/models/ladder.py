"""Adapts a training to a device's memory in the smallest possible steps.

The ladder; each rung keeps the changes of those before it:

1. smaller batches with more accumulation, so that an optimizer step has the same samples;
2. no compilation of the network;
3. recomputed activations, for half of the blocks and then for all;
4. weights, gradients and optimizer state sharded among devices, which takes main memory when saving
   (up to here no result changes);
5. half precision, which rounds;
6. a smaller crop, unless the network has weights for positions in the domain;
7. with `training.may_shrink`, fewer input frames, and finally
8. a smaller network.

A rung that saves next to nothing is skipped: a smaller crop does not help if validation on whole
grids needs the most memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stormdraw.models.memory import TrainingMemory, learnt_shape
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training_settings import Precision

# Crops are halved down to this side, and keep sides that a U-Net can halve four times.
_SMALLEST_SIDE = 64
_MULTIPLE = 16
# A rung that does not reach the bound must save at least a twentieth.
_WORTH_TAKING = 0.95

Memory = Callable[[ModelSettings], TrainingMemory]
# From a configuration to the next smaller one of a kind, or None if there is none.
Step = Callable[[ModelSettings], ModelSettings | None]


@dataclass(frozen=True)
class Rung:
    """One configuration, what it changes in the one before it, and the memory it needs."""

    change: str
    settings: ModelSettings
    memory: TrainingMemory

    @property
    def peak(self) -> int:
        """Bytes on one device."""
        return self.memory.peak


@dataclass(frozen=True)
class Fit:
    """The rungs taken; the last one is used for training."""

    rungs: list[Rung]
    bound: float

    @property
    def chosen(self) -> Rung:
        """The first rung that fits, or the last one if none does."""
        return self.rungs[-1]

    @property
    def missing(self) -> int:
        """Bytes by which the chosen rung exceeds the bound; 0 if it fits."""
        return max(0, int(self.chosen.peak - self.bound))


def climb(settings: ModelSettings, shape: tuple[int, int], bound: float, memory: Memory) -> Fit:
    """Take one rung after another until the device's peak is at most `bound` bytes.

    `shape` is the grid's (y, x), and `memory` gives the memory of a configuration.
    """
    taken = [Rung("as configured", settings, memory(settings))]
    for step in _steps(shape):
        while taken[-1].peak > bound:
            rung = _rung_above(taken[-1], step, memory)
            if rung is None or rung.peak > max(bound, _WORTH_TAKING * taken[-1].peak):
                break
            taken.append(rung)
    return Fit(taken, bound)


def next_rung(
    settings: ModelSettings, shape: tuple[int, int], memory: Memory, half: Precision = "bfloat16"
) -> Rung | None:
    """The next rung when memory has run out, whatever the plan said; None if none is left.

    It is the first rung that saves memory according to the plan, or else the first of all. `half`
    is the half precision that the device computes natively.
    """
    below = Rung("as it was", settings, memory(settings))
    others = []
    for step in _steps(shape, half):
        rung = _rung_above(below, step, memory)
        if rung is None:
            continue
        # The memory of a compiled network is not planned.
        if step is _without_compilation or rung.peak <= _WORTH_TAKING * below.peak:
            return rung
        others.append(rung)
    return others[0] if others else None


def _rung_above(below: Rung, step: Step, memory: Memory) -> Rung | None:
    settings = step(below.settings)
    if settings is None:
        return None
    change, needed = ", ".join(_differences(below.settings, settings)), memory(settings)
    if step is _sharded:
        gathered = f"{needed.gathered / 1e9:.3g} GB of main memory"
        change += f" (to save, the first process gathers {gathered})"
    return Rung(change, settings, needed)


def _steps(shape: tuple[int, int], half: Precision = "bfloat16") -> list[Step]:
    return [
        _smaller_batch,
        _without_compilation,
        _recomputed_activations,
        _sharded,
        lambda settings: _half_precision(settings, half),
        lambda settings: _smaller_crop(settings, shape),
        _fewer_frames,
        _smaller_network,
    ]


def _with_training(settings: ModelSettings, **changes: Any) -> ModelSettings:
    training = settings.training.model_copy(update=changes)
    return settings.model_copy(update={"training": training})


def _smaller_batch(settings: ModelSettings) -> ModelSettings | None:
    """Half of the batch or less, such that whole batches make the samples of an optimizer step."""
    training = settings.training
    samples = training.batch_size * training.accumulation
    sizes = [size for size in range(training.processes, training.batch_size) if samples % size == 0]
    if not sizes:
        return None
    half = [size for size in sizes if 2 * size <= training.batch_size]
    size = max(half, default=min(sizes))
    return _with_training(settings, batch_size=size, accumulation=samples // size)


def _without_compilation(settings: ModelSettings) -> ModelSettings | None:
    return None if settings.training.compile == "none" else _with_training(settings, compile="none")


def _recomputed_activations(settings: ModelSettings) -> ModelSettings | None:
    ratio = next(
        (each for each in (0.5, 1.0) if each > settings.training.activation_checkpointing), None
    )
    return None if ratio is None else _with_training(settings, activation_checkpointing=ratio)


def _sharded(settings: ModelSettings) -> ModelSettings | None:
    training = settings.training
    if training.processes == 1 or training.sharding != "none":
        return None
    return _with_training(settings, sharding="full")


def _half_precision(settings: ModelSettings, half: Precision) -> ModelSettings | None:
    if settings.training.precision in ("bfloat16", "float16"):
        return None
    return _with_training(settings, precision=half)


def _smaller_crop(settings: ModelSettings, shape: tuple[int, int]) -> ModelSettings | None:
    options = settings.network_options
    # A downscaler learns from whole blocks.
    smallest = max(_SMALLEST_SIDE, getattr(options, "block", 0))
    sides = learnt_shape(settings, shape)
    if max(sides) <= smallest or options.learns_positions:
        return None
    rows, columns = (
        side if side <= smallest else max(smallest, side // 2 // _MULTIPLE * _MULTIPLE)
        for side in sides
    )
    return _with_training(settings, crop=(rows, columns))


def _fewer_frames(settings: ModelSettings) -> ModelSettings | None:
    if settings.history == 1 or not settings.training.may_shrink:
        return None
    frames = (settings.history + 1) // 2
    changes: dict[str, Any] = {"history": frames}
    if frames == 1:
        changes["history_as"] = "states"
    if hasattr(settings.network_options, "frames"):
        changes["network"] = {**settings.network, "frames": frames}
    return settings.model_copy(update=changes)


def _smaller_network(settings: ModelSettings) -> ModelSettings | None:
    if not settings.training.may_shrink:
        return None
    smaller = settings.network_options.smaller()
    if smaller is None:
        return None
    halved = smaller.model_dump(mode="json", include={smaller.halved[0]})
    return settings.model_copy(update={"network": {**settings.network, **halved}})


def _differences(before: ModelSettings, after: ModelSettings) -> list[str]:
    """The changed keys of a configuration with their new values."""
    old = _flat(before)
    return [f"{key}: {value}" for key, value in _flat(after).items() if old[key] != value]


def _flat(settings: ModelSettings) -> dict[str, Any]:
    """All keys and values; keys of a section have its name as prefix."""
    content = settings.model_dump(mode="json")
    # With defaults, so that an option that is merely written out does not count as changed.
    network = settings.network_options.model_dump(mode="json")
    sections = {"training": content.pop("training"), "network": network}
    del content["network"]
    for section, options in sections.items():
        content |= {f"{section}.{key}": value for key, value in options.items()}
    return content
