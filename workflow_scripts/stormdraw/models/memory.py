"""How much memory a network needs, found without allocating it.

The network runs on torch's meta device, where tensors have a shape but no data, while every storage
that comes to life is counted until it dies. All is counted in float32: bfloat16 needs less. What a
convolution library reserves inside one operation is not seen.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import channel_count
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of all storages made within it: those alive now, and the most at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation and look at what it returns."""
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
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, size)

    def _forget(self, size: int) -> None:
        self.now -= size


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes during one training step.

    `saved_activations` are what the backward pass needs, `activations` all that lives at the
    peak beside weights and gradients.
    """

    parameters: int
    weights: int
    gradients: int
    optimizer: int
    average: int
    saved_activations: int
    activations: int

    @property
    def peak(self) -> int:
        """All of it together."""
        return self.weights + self.gradients + self.optimizer + self.average + self.activations


def model_without_data(settings: ModelSettings, variables: int) -> Forecaster:
    """The model of a configuration on the meta device."""
    ones = np.ones(variables, dtype=np.float32)
    # Any names do, but a variable that is downscaled must be among them.
    names = (settings.variable or "first", *(f"variable {k}" for k in range(1, variables)))
    statistics = Statistics(names, ("identity",) * variables, ones, ones, ones, ones)
    with torch.device("meta"):
        return make_forecaster(settings, statistics)


def training_memory(
    settings: ModelSettings, variables: int, shape: tuple[int, int]
) -> TrainingMemory:
    """What a training step of the configured batch, on (y, x) points or a crop of them, needs."""
    shape = learnt_shape(settings, shape)
    model = model_without_data(settings, variables)
    batch = settings.training.batch_size
    weights = sum(parameter.nbytes for parameter in model.parameters())
    saved: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage.nbytes()
        return tensor

    own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    with LiveMemory() as memory:
        now, following = (_states(batch, variables, shape) for _ in range(2))
        forcings = _states(batch, channel_count(settings.forcings), shape)
        earlier = _earlier_states(settings, batch, variables, shape)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            whole = Batch(now, following, forcings, (), earlier)
            with torch.device("meta"):
                loss = model.training_losses(whole, None).mean()
        loss.backward()
    return TrainingMemory(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights=weights,
        gradients=weights,
        # Adam's two moments; the moving average is one more copy of the weights.
        optimizer=2 * weights,
        average=weights,
        saved_activations=sum(size for key, size in saved.items() if key not in own),
        # At the peak, early in the backward pass, hardly any gradient of a weight is there yet.
        activations=memory.peak,
    )


def learnt_shape(settings: ModelSettings, shape: tuple[int, int]) -> tuple[int, int]:
    """The (y, x) points of a training sample: the crop, or the grid where that is smaller."""
    crop = settings.training.crop or shape
    return min(crop[0], shape[0]), min(crop[1], shape[1])


@torch.no_grad()
def sampling_bytes(settings: ModelSettings, variables: int, shape: tuple[int, int]) -> int:
    """What one more member on a (y, x) grid needs while it is drawn."""
    model = model_without_data(settings, variables)
    with LiveMemory() as memory:
        # First-guess and noisy states and the solver's last two results wait beside the network.
        waiting = [_states(1, variables, shape) for _ in range(4)]
        forcings = _states(1, channel_count(settings.forcings), shape)
        earlier = _earlier_states(settings, 1, variables, shape)
        with torch.device("meta"):
            model.rehearse(_states(1, variables, shape), forcings, earlier)
    del waiting
    return memory.peak


def _earlier_states(
    settings: ModelSettings, batch: int, variables: int, shape: tuple[int, int]
) -> torch.Tensor | None:
    """The states before the current one, (B, H - 1, V, Y, X), if the model uses any."""
    if settings.history == 1:
        return None
    return torch.empty((batch, settings.history - 1, variables, *shape), device="meta")


def _states(batch: int, channels: int, shape: tuple[int, int]) -> torch.Tensor:
    """A tensor (B, C, Y, X) without data."""
    return torch.empty((batch, channels, *shape), device="meta")
