"""How much memory a network needs, found without allocating it.

The network takes a step on fake tensors, which have a shape, a type and a device but no data, while
the live storages are counted.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stormdraw.fields.statistics import Statistics
from stormdraw.models.execution import blocks_of, recompute_activations
from stormdraw.models.forcings import channels_of
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.implementations import largest_implementations
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles

# The GNU C library maps larger blocks individually and returns them at once. Smaller ones come from
# its heap, where they leave gaps (mallopt(3), M_MMAP_THRESHOLD).
HEAP_BLOCK = 32 * 2**20


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of all storages made within it: those alive now, and the largest total.

    `heap_peak` is the largest total of storages of less than HEAP_BLOCK bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self.heap_now = 0
        self.heap_peak = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def leave_out(self, tensors: Iterable[torch.Tensor]) -> None:
        """Do not count these existing tensors, even if operations return them."""
        self._known.update(tensor.untyped_storage() for tensor in tensors)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation and count the storages that it returns."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._watch(leaf.untyped_storage())
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self._add(size)
        self.peak = max(self.peak, self.now)
        self.heap_peak = max(self.heap_peak, self.heap_now)
        weakref.finalize(storage, self._add, -size)

    def _add(self, size: int) -> None:
        self.now += size
        if abs(size) < HEAP_BLOCK:
            self.heap_now += size


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on one device during a training.

    `saved_activations` are what the backward pass of a step needs. `activations` are everything
    alive at the peak of a step besides weights, gradients, optimizer and average; `validation` is
    the same for a validation batch of whole grids. `in_heap` is the largest total of either in
    small blocks.
    """

    parameters: int
    weights: int
    gradients: int
    optimizer: int
    average: int
    saved_activations: int
    activations: int
    validation: int
    in_heap: int

    @property
    def peak(self) -> int:
        """The total in a training step or in validation, whichever is larger."""
        held = self.weights + self.gradients + self.optimizer + self.average
        return held + max(self.activations, self.validation)

    @property
    def gathered(self) -> int:
        """Main memory of the first process while it saves sharded weights, moments and the average.

        All of them are then whole and in float32 (`sharding.py`).
        """
        return 4 * 4 * self.parameters


def model_without_data(settings: ModelSettings, run: Roles) -> Forecaster:
    """The model of a configuration on the meta device, in a run with these roles."""
    with torch.device("meta"):
        return _new_model(settings, run)


def training_memory(
    settings: ModelSettings, run: Roles, shape: tuple[int, int], validates: bool = False
) -> TrainingMemory:
    """The memory of a training on a (y, x) grid or crops of it, and of its validation if any.

    A precision of `auto` counts as float32, `channels_last: auto` as true. Devices split the batch;
    with full sharding, they also split weights, gradients, optimizer and average. If the
    configuration states a GPU's memory, layers count with the implementation that needs the most
    memory, since the fastest one is only found on the GPU (`implementations`).
    """
    training = settings.training
    validation = 0
    with model_of_fake_tensors(settings, run) as model:
        saved, step, in_heap = one_step(model, settings, shape)
        if training.hours_ahead > 1:
            *_, unrolled, heap = one_step(model, settings, shape, training.hours_ahead)
            step, in_heap = max(step, unrolled), max(in_heap, heap)
        if validates:
            validation, heap = _one_validation(model, settings, shape)
            in_heap = max(in_heap, heap)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    parts = training.processes if training.sharding == "full" else 1
    mine = -(-weights // parts)
    return TrainingMemory(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights=mine,
        gradients=mine,
        # Adam's two moments; the moving average is one more copy of the weights.
        optimizer=2 * mine,
        average=mine,
        saved_activations=saved,
        activations=step + (_gathered(model) if parts > 1 else 0),
        validation=validation,
        in_heap=in_heap,
    )


@contextmanager
def model_of_fake_tensors(settings: ModelSettings, run: Roles) -> Iterator[Forecaster]:
    """The model of a configuration as it is trained, with fake tensors."""
    training = settings.training
    on_gpu = training.device_memory_gigabytes is not None
    with FakeTensorMode(), largest_implementations(on_gpu):
        model = _new_model(settings, run)
        if training.channels_last:
            _lay_channels_last(model)
        recompute_activations(model.network, training.activation_checkpointing)
        yield model


def one_step(
    model: Forecaster, settings: ModelSettings, shape: tuple[int, int], hours: int = 1
) -> tuple[int, int, int]:
    """Bytes kept for the backward pass, the peak besides weights and gradients, the heap peak.

    The model is unrolled over so many `hours`.
    """
    # Gradients of the earlier batches in the accumulation window.
    weights = list(model.parameters())
    for parameter in weights:
        parameter.grad = torch.empty_like(parameter)
    with LiveMemory() as memory:
        gradients = [each.grad for each in weights if each.grad is not None]
        memory.leave_out([*weights, *gradients, *model.buffers()])
        size = _on_each(settings.training.batch_size, settings)
        learnt = learnt_shape(settings, shape)
        batch = _batch(model, settings, size, learnt, hours)
        if learnt != shape and model.network.context:
            # Points of a crop are weighted by how much of their surroundings is known.
            batch = replace(batch, weights=torch.empty((size, *learnt)))
        inputs = memory.now
        with precision_of(settings):
            loss = model.objective(model.training_losses(batch, None))
        saved = memory.now - inputs
        loss.backward()
    return saved, memory.peak, memory.heap_peak


@torch.no_grad()
def _one_validation(
    model: Forecaster, settings: ModelSettings, shape: tuple[int, int]
) -> tuple[int, int]:
    """The peak in bytes besides weights and gradients, and the heap peak."""
    with LiveMemory() as memory:
        memory.leave_out([*model.parameters(), *model.buffers()])
        size = _on_each(validated_at_once(settings, shape), settings)
        batch = _batch(model, settings, size, shape)
        with precision_of(settings):
            model.training_losses(batch, None)
    return memory.peak, memory.heap_peak


def _on_each(samples: int, settings: ModelSettings) -> int:
    """The number of a batch's samples on one device."""
    return -(-samples // settings.training.processes)


def _batch(
    model: Forecaster, settings: ModelSettings, size: int, shape: tuple[int, int], hours: int = 1
) -> Batch:
    now, forcings, before = _given(model, settings, size, shape)
    following = _states(size, len(model.variables), shape)
    if hours == 1:
        return Batch(now, following, forcings, (), before)
    unrolled = (torch.empty((size, hours - 1, *one.shape[1:])) for one in (following, forcings))
    later, later_forcings = unrolled
    return Batch(
        *(now, following, forcings, (), before), later=later, later_forcings=later_forcings
    )


def _given(
    model: Forecaster, settings: ModelSettings, size: int, shape: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """What a step starts from: the current states, the forcings and the states before."""
    predicted, earlier = len(model.roles.predicted), settings.history - 1
    forcings = _states(size, len(channels_of(settings, model.roles)), shape)
    before = torch.empty((size, earlier, predicted, *shape)) if earlier else None
    return _states(size, predicted, shape), forcings, before


def precision_of(settings: ModelSettings) -> torch.autocast:
    """Half precision if configured, without a cache of weights, as in Lightning."""
    half = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(settings.training.precision)
    return torch.autocast(
        "cpu", half or torch.bfloat16, enabled=half is not None, cache_enabled=False
    )


def _lay_channels_last(model: Forecaster) -> None:
    """What `model.to(memory_format=...)` does to real weights, but refuses to do to fake ones."""
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            if weight.dim() == 4:
                laid = weight.detach().contiguous(memory_format=torch.channels_last)
                setattr(module, name, torch.nn.Parameter(laid))


def _gathered(model: Forecaster) -> int:
    """What sharding gathers temporarily: weights and gradients of two blocks."""
    sizes = (sum(weights.nbytes for weights in block.parameters()) for block in _shards(model))
    return 4 * max(sizes, default=0)


def _shards(model: Forecaster) -> list[torch.nn.Module]:
    return blocks_of(model.network) or [model.network]


def learnt_shape(settings: ModelSettings, shape: tuple[int, int]) -> tuple[int, int]:
    """The (y, x) points of a training sample: the crop, or the grid if that is smaller."""
    crop = settings.training.crop or shape
    return min(crop[0], shape[0]), min(crop[1], shape[1])


def validated_at_once(settings: ModelSettings, shape: tuple[int, int]) -> int:
    """The number of whole grids of (y, x) points in a validation batch.

    At least one for each device. Otherwise such that they have no more points than a training
    batch, whose activations are kept as well.
    """
    rows, columns = learnt_shape(settings, shape)
    training = settings.training
    learnt_points = training.batch_size * rows * columns
    return max(training.processes, learnt_points // (shape[0] * shape[1]))


def sampling_bytes(settings: ModelSettings, run: Roles, shape: tuple[int, int]) -> int:
    """The memory of each additional member on a (y, x) grid while it is drawn."""
    # Not the meta device: there, attention would count every pair of positions, which no real
    # device holds.
    with FakeTensorMode():
        return one_pass(_new_model(settings, run), settings, shape)


@torch.no_grad()
def one_pass(model: Forecaster, settings: ModelSettings, shape: tuple[int, int]) -> int:
    """The peak in bytes besides weights while a member is drawn."""
    with LiveMemory() as memory:
        memory.leave_out([*model.parameters(), *model.buffers()])
        # First-guess and noisy states and the solver's last two results are kept besides the
        # network.
        waiting = [_states(1, len(model.variables), shape) for _ in range(4)]
        now, forcings, before = _given(model, settings, 1, shape)
        model.rehearse(now, forcings, before)
    del waiting
    return memory.peak


def _new_model(settings: ModelSettings, run: Roles) -> Forecaster:
    ones = np.ones(len(run.every), dtype=np.float32)
    identity = ("identity",) * len(run.every)
    return make_forecaster(settings, Statistics(run.every, identity, ones, ones, ones, ones), run)


def _states(batch: int, channels: int, shape: tuple[int, int]) -> torch.Tensor:
    """A tensor (B, C, Y, X); fake tensors hold no data."""
    return torch.empty((batch, channels, *shape))
