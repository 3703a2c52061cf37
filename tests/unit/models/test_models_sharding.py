"""Whole tensors for files, shared or laid-out ones for training."""

import copy
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from stormdraw.models import sharding
from stormdraw.models.ranks import ALONE, Ranks
from stormdraw.models.sharding import gathered, local, shard, shared_like


def test_a_value_takes_the_layout_of_its_weights() -> None:
    weights = torch.nn.Conv2d(8, 8, 3).to(memory_format=torch.channels_last).weight  # type: ignore[call-overload]
    moments = torch.rand(8, 8, 3, 3)
    laid = shared_like(moments, weights)
    assert torch.equal(laid, moments)
    assert laid.stride() == weights.stride() != moments.stride()
    assert not laid.requires_grad
    assert shared_like(moments.double(), weights).dtype == torch.float64
    # The count of steps is of another shape.
    steps = torch.tensor(3.0)
    assert shared_like(steps, weights) is steps


def test_each_block_is_sharded_alone_and_then_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the usual layout: parts of weights whose channels are last would lie apart."""

    class Network(torch.nn.Sequential):
        def blocks(self) -> list[torch.nn.Module]:
            return list(self)[:2]

    sharded: list[torch.nn.Module] = []
    monkeypatch.setattr(sharding, "init_device_mesh", lambda *of: of)
    monkeypatch.setattr(sharding, "fully_shard", lambda part, mesh: sharded.append(part))
    network = Network(*(torch.nn.Conv2d(8, 8, 3) for _ in range(3)))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    shard(network, Ranks(0, 2), torch.device("cpu"))
    assert [id(part) for part in sharded] == [id(part) for part in (*network.blocks(), network)]
    assert all(weights.is_contiguous() for weights in network.parameters())


def test_a_fused_optimizer_goes_on_after_its_moments_were_laid_out() -> None:
    def make(memory_format: torch.memory_format) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(4, 4, 3).to(memory_format=memory_format)  # type: ignore[call-overload]
        return layer, torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)

    def step(layer: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        random = torch.Generator().manual_seed(1)
        layer(torch.rand(1, 4, 6, 6, generator=random)).pow(3).sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    plain, optimizer = make(torch.contiguous_format)
    step(plain, optimizer)
    other, resumed = make(torch.channels_last)
    other.load_state_dict(plain.state_dict())
    state = copy.deepcopy(optimizer.state_dict())
    state["state"] = {
        index: {key: shared_like(value, weights) for key, value in moments.items()}
        for (index, moments), weights in zip(
            state["state"].items(), other.parameters(), strict=True
        )
    }
    resumed.load_state_dict(state)
    for each in ((plain, optimizer), (other, resumed)):
        step(*each)
    torch.testing.assert_close(other.weight, plain.weight)


def test_without_ranks_tensors_stay_unchanged() -> None:
    content = {"weights": torch.ones(2), "names": ["a"], "step": 3}
    assert gathered(content, ALONE)["weights"] is content["weights"]
    weights = torch.nn.Parameter(torch.ones(2))
    local(weights)[0] = 5.0
    assert weights[0] == 5.0


def test_only_the_first_rank_keeps_whole_tensors(tmp_path: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1
    )
    try:
        mesh = init_device_mesh("cpu", (1,))
        content = {"weights": distribute_tensor(torch.ones(2), mesh, [Shard(0)]), "step": 3}
        assert gathered(content, Ranks(0, 2))["weights"].tolist() == [1.0, 1.0]
        others = gathered(content, Ranks(1, 2))
        assert (others["weights"].numel(), others["step"]) == (0, 3)
    finally:
        distributed.destroy_process_group()
