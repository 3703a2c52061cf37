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
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.forcings import channel_count
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


def model_without_data(settings: ModelSettings, variables: int) -> DiffusionModel:
    """The model of a configuration on the meta device."""
    ones = np.ones(variables, dtype=np.float32)
    names = tuple(f"variable {index}" for index in range(variables))
    statistics = Statistics(names, ("identity",) * variables, ones, ones, ones, ones)
    with torch.device("meta"):
        return DiffusionModel(settings, statistics)


def training_memory(
    settings: ModelSettings, variables: int, shape: tuple[int, int]
) -> TrainingMemory:
    """What a training step of the configured batch on a (y, x) grid needs."""
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
        now, following, noise = (_states(batch, variables, shape) for _ in range(3))
        forcings = _states(batch, channel_count(settings.forcings), shape)
        timestep = torch.zeros(batch, dtype=torch.long, device="meta")
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            loss = model.losses(now, following, forcings, timestep, noise).mean()
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


@torch.no_grad()
def sampling_bytes(settings: ModelSettings, variables: int, shape: tuple[int, int]) -> int:
    """What one more member on a (y, x) grid needs while it is drawn."""
    model = model_without_data(settings, variables)
    with LiveMemory() as memory:
        # Current and first-guess states and the solver's last two results wait beside the network.
        waiting = [_states(1, variables, shape) for _ in range(4)]
        condition = _states(1, variables + channel_count(settings.forcings), shape)
        timestep = torch.zeros(1, dtype=torch.long, device="meta")
        model.network(_states(1, variables, shape), condition, timestep)
    del waiting
    return memory.peak


def _states(batch: int, channels: int, shape: tuple[int, int]) -> torch.Tensor:
    """A tensor (B, C, Y, X) without data."""
    return torch.empty((batch, channels, *shape), device="meta")
