"""Compiled or not, a training has the same losses."""

import shutil

import numpy as np
import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings

from stormdraw.fields.statistics import Statistics
from stormdraw.models.execution import compile_network
from stormdraw.models.training import new_model


def losses_of(mode: str) -> list[float]:
    """Of five steps of the full-grid network of the least size, on one batch."""
    settings = make_model_settings(network={"base_channels": 16}, target="next_state", forcings=[])
    ones = np.ones(len(VARIABLES), dtype=np.float32)
    statistics = Statistics(VARIABLES, ("identity",) * len(VARIABLES), ones, ones, ones, ones)
    model = new_model("small", 0, settings, statistics)
    compile_network(model.network, mode)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    random = torch.Generator().manual_seed(0)
    now, following, noise = torch.randn(3, 2, len(VARIABLES), 13, 16, generator=random)
    losses = []
    for _ in range(5):
        arguments = now, following, torch.zeros(2, 0, 13, 16), torch.tensor([100, 700]), noise
        loss = model.losses(*arguments).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.mark.slow  # a minute for the compiler
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_losses_are_the_same() -> None:
    plain = losses_of("none")
    assert plain[-1] < 0.98 * plain[0]
    assert losses_of("default") == pytest.approx(plain, rel=1e-4)
