"""When the gradients of several processes are averaged, with a stand-in for what averages them."""

import contextlib
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from stormdraw.models import parallel
from stormdraw.models.parallel import ParallelLosses


class Averaging(nn.Module):
    """Notes whether it averages."""

    def __init__(self, losses: nn.Module, **options: object) -> None:
        super().__init__()
        self.averages = True
        self.noted: list[bool] = []

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        self.averages = False
        yield
        self.averages = True

    def forward(self, *given: object) -> None:
        self.noted.append(self.averages)


def test_gradients_are_averaged_once_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "DistributedDataParallel", Averaging)
    losses = ParallelLosses(nn.Identity())
    losses.average_gradients(torch.device("cpu"))
    for ends_window in (False, False, True, False):
        losses(None, None, ends_window)
    assert losses.averaging.noted == [False, False, True, False]
