"""From a training that does not fit a device's memory to one that does, in the smallest steps.

The ladder: fewer samples at once (with more accumulation: the same training), bfloat16, recomputed
activations, sharded weights, and at last a smaller crop. Each rung keeps those before it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stormdraw.models.memory import TrainingMemory, learnt_shape
from stormdraw.models.settings import ModelSettings, Training

# Crops are halved down to this side, and keep sides that a U-Net can halve four times.
_SMALLEST_SIDE = 64
_MULTIPLE = 16


@dataclass(frozen=True)
class Rung:
    """One setting of a training, by what it changes in the one before it, and what it needs."""

    change: str
    training: Training
    memory: TrainingMemory

    @property
    def peak(self) -> int:
        """Bytes on one device."""
        return self.memory.peak


@dataclass(frozen=True)
class Fit:
    """The rungs that were tried, the last of which is the one to take."""

    rungs: list[Rung]
    bound: float

    @property
    def chosen(self) -> Rung:
        """The first rung that fits, or the last one if none does."""
        return self.rungs[-1]

    @property
    def missing(self) -> int:
        """Bytes by which the chosen rung is too large; 0 if it fits."""
        return max(0, int(self.chosen.peak - self.bound))


def climb(
    settings: ModelSettings,
    shape: tuple[int, int],
    bound: float,
    memory: Callable[[ModelSettings], TrainingMemory],
) -> Fit:
    """Try one rung after the other until the device's peak is at most `bound` bytes.

    `shape` is the grid's (y, x), and `memory` tells what a configuration needs.
    """
    tried = [Rung("as configured", settings.training, memory(settings))]
    rungs = ladder(settings, shape)
    while tried[-1].peak > bound:
        step = next(rungs, None)
        if step is None:
            break
        change, training = step
        needed = memory(settings.model_copy(update={"training": training}))
        tried.append(Rung(change, training, needed))
    return Fit(tried, bound)


def ladder(settings: ModelSettings, shape: tuple[int, int]) -> Iterator[tuple[str, Training]]:
    """Each rung above a configuration: what it changes, and the training with it."""
    training = settings.training

    def changed(**changes: Any) -> tuple[str, Training]:
        nonlocal training
        training = training.model_copy(update=changes)
        words = ", ".join(f"training.{key}: {_as_yaml(value)}" for key, value in changes.items())
        return words, training

    # The same samples an optimizer step; none of them depends on the others.
    while training.batch_size // 2 >= training.devices:
        halved = training.batch_size // 2
        times = -(-training.batch_size // halved)
        yield changed(batch_size=halved, accumulation=training.accumulation * times)
    if training.precision not in ("bfloat16", "float16"):
        yield changed(precision="bfloat16")
    for ratio in (0.5, 1.0):
        if training.activation_checkpointing < ratio:
            yield changed(activation_checkpointing=ratio)
    if training.devices > 1 and training.sharding == "none":
        yield changed(sharding="full")
    rows, columns = learnt_shape(settings, shape)
    while max(rows, columns) > _SMALLEST_SIDE:
        rows, columns = _halved(rows), _halved(columns)
        yield changed(crop=(rows, columns))


def next_rung(settings: ModelSettings, shape: tuple[int, int]) -> str:
    """What to change when memory ran out all the same, as words for the user."""
    step = next(ladder(settings, shape), None)
    return step[0] if step else "a smaller network"


def _halved(side: int) -> int:
    if side <= _SMALLEST_SIDE:
        return side
    return max(_SMALLEST_SIDE, side // 2 // _MULTIPLE * _MULTIPLE)


def _as_yaml(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
