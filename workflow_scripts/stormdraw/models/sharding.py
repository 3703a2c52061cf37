"""Fully sharded training: each rank holds a part of every weight, gradient and moment.

Whole tensors are made for files only, so that these do not tell how many ranks wrote them.
"""

from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from stormdraw.models.execution import blocks_of
from stormdraw.models.ranks import Ranks


def shard(network: torch.nn.Module, ranks: Ranks, device: torch.device) -> None:
    """Share a network's weights among ranks; a block's are brought together while it computes."""
    # Parts of a tensor lie one after the other only in the plain layout.
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    mesh = init_device_mesh(device.type, (ranks.count,))
    for block in blocks_of(network):
        fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


def gathered(content: Any) -> Any:
    """The same nested content with whole tensors, on the CPU, in place of shared ones.

    All ranks must ask for it.
    """

    def on_cpu(leaf: Any) -> Any:
        return leaf.full_tensor().cpu() if isinstance(leaf, DTensor) else leaf

    return tree_map(on_cpu, content)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The whole of a shared tensor, on its device. All ranks must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(value: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """A whole tensor, shared among ranks or laid out in memory as `weights` of its shape are.

    The fused optimizer goes through weights and moments by their places in memory.
    """
    if value.shape != weights.shape:
        return value
    if isinstance(weights, DTensor):
        return distribute_tensor(value.to(weights.device), weights.device_mesh, weights.placements)
    return torch.empty_like(weights, dtype=value.dtype, requires_grad=False).copy_(value)


def local(weights: torch.Tensor) -> torch.Tensor:
    """What of a tensor lies on this rank, sharing its memory."""
    weights = weights.detach()
    return weights.to_local() if isinstance(weights, DTensor) else weights
