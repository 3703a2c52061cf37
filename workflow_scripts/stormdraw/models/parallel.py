"""The losses of a batch whose gradients all ranks average."""

import contextlib

import torch
from torch.nn.parallel import DistributedDataParallel

from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Batch


class ParallelLosses:
    """Computes the losses of this rank's part of a batch.

    Until `average_gradients` is called, nothing is averaged: FSDP averages those it shards.
    """

    def __init__(self, model: Forecaster) -> None:
        self.losses = _Losses(model)
        self.averaging: DistributedDataParallel | None = None

    def average_gradients(self, device: torch.device) -> None:
        """From now on average gradients over the ranks, while others are still computed."""
        on_gpu = [device] if device.type == "cuda" else None
        self.averaging = DistributedDataParallel(
            self.losses, device_ids=on_gpu, forward_sync_buffers=False
        )

    def __call__(self, batch: Batch, generator: torch.Generator, ends_window: bool) -> torch.Tensor:
        """(sample, ...); the gradients of a window of batches are averaged with its last one."""
        if self.averaging is None:
            return self.losses(batch, generator)
        with contextlib.nullcontext() if ends_window else self.averaging.no_sync():
            return self.averaging(batch, generator)


class _Losses(torch.nn.Module):
    """DistributedDataParallel prepares itself when a module is called."""

    def __init__(self, model: Forecaster) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
        return self.model.training_losses(batch, generator)
