"""Fully sharded training: each rank holds a part of every weight, gradient and moment.

Only files hold whole tensors, so they do not depend on the number of ranks that wrote them.
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
    """Shard a network's weights among ranks; those of a block are gathered while it computes."""
    # Parts of a tensor are only contiguous in the default layout.
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    mesh = init_device_mesh(device.type, (ranks.count,))
    for block in blocks_of(network):
        fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


def gathered(content: Any, ranks: Ranks) -> Any:
    """The same nested content with whole tensors on the first rank's CPU instead of sharded ones.

    All ranks must call it. On the others the tensors are empty: together they would fill a node's
    main memory.
    """

    def on_cpu(leaf: Any) -> Any:
        if not isinstance(leaf, DTensor):
            return leaf
        full = whole(leaf)
        return full.cpu() if ranks.is_first else torch.empty(0)

    return tree_map(on_cpu, content)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A whole tensor on its device. All ranks must call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(value: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """A whole tensor, sharded or laid out in memory like `weights` of the same shape.

    The fused optimizer pairs weights and moments by their position in memory.
    """
    if value.shape != weights.shape:
        return value
    if isinstance(weights, DTensor):
        return distribute_tensor(value.to(weights.device), weights.device_mesh, weights.placements)
    return torch.empty_like(weights, dtype=value.dtype).copy_(value)


def local(weights: torch.Tensor) -> torch.Tensor:
    """This rank's part of a tensor, sharing its memory."""
    weights = weights.detach()
    return weights.to_local() if isinstance(weights, DTensor) else weights
