"""How a network runs, apart from what it computes: precision of norms, recomputation, compiling.

Nothing here changes the names of weights, so that a checkpoint loads whatever was chosen.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from stormdraw.errors import StormdrawError

# The modes of torch.compile that record CUDA graphs and replay them.
_REPLAYING_MODES = ("reduce-overhead", "max-autotune")

_NORMS = (nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.modules.batchnorm._BatchNorm)


def keep_norms_in_single_precision(network: nn.Module) -> None:
    """Normalise in float32 under autocast too: variances of half-precision numbers lose digits.

    What leaves the layer has autocast's type again, so that the next one keeps half the bytes.
    """
    for module in network.modules():
        if isinstance(module, _NORMS):
            module.register_forward_pre_hook(_to_single)
            module.register_forward_hook(_to_autocast)


def _to_single(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(value.float() for value in inputs)


def _to_autocast(
    module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor
) -> torch.Tensor:
    device = output.device.type
    # The meta device knows no autocast.
    if device != "meta" and torch.is_autocast_enabled(device):
        return output.to(torch.get_autocast_dtype(device))
    return output


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The parts of a network whose activations can be recomputed, in the order they were made.

    A network may name them by a method `blocks()`; else they are the modules, of classes defined in
    its own file, that hold no other such module.
    """
    if hasattr(network, "blocks") and callable(network.blocks):
        return list(network.blocks())
    own = [part for part in network.modules() if type(part).__module__ == type(network).__module__]
    return [
        part
        for part in own
        if part is not network
        and next(part.parameters(), None) is not None
        and not any(inner in own for inner in part.modules() if inner is not part)
    ]


def recompute_activations(network: nn.Module, ratio: float) -> None:
    """Let a share `ratio` of the blocks, evenly spread, compute their activations a second time.

    They are then not kept for the backward pass (Chen et al. 2016). Where no gradients are wanted,
    as in sampling, nothing changes.
    """
    blocks = blocks_of(network)
    for index, block in enumerate(blocks):
        # Every time that ratio x index passes a whole number; the last block counts first.
        if int((index + 1) * ratio + 1e-9) > int(index * ratio + 1e-9):
            block.forward = _recomputed(block.forward)


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    def recomputed(*inputs: Any, **options: Any) -> Any:
        if torch.is_grad_enabled():
            return checkpoint(forward, *inputs, use_reentrant=False, **options)
        return forward(*inputs, **options)

    return recomputed


def compile_network(network: nn.Module, mode: str) -> None:
    """Compile a network in one of torch.compile's modes; `none` leaves it as it is."""
    if mode != "none":
        network.compile(mode=mode)


def replays_graphs(mode: str) -> bool:
    """Whether a network compiled in this mode replays CUDA graphs.

    Each replay overwrites what the one before gave. A gradient that autograd finds no place for is
    kept where the graph has left it, and would be overwritten by the next batch of the same
    optimizer step (PyTorch issues 96693 and 169545): whoever accumulates has to give gradients a
    place of their own, and to say when a batch begins.
    """
    return mode in _REPLAYING_MODES


@contextlib.contextmanager
def explained_compilation(name: str, mode: str) -> Iterator[None]:
    """Turn torch.compile's failures, which come with the first step, into StormdrawError."""
    try:
        yield
    except Exception as error:
        if mode == "none" or not type(error).__module__.startswith(
            ("torch._dynamo", "torch._inductor")
        ):
            raise
        reason = str(error).strip().splitlines()
        raise StormdrawError(
            f"model {name}: torch.compile failed in the mode {mode} "
            f"({type(error).__name__}: {reason[0] if reason else 'no reason given'}); "
            "set training.compile to none, or install a C++ compiler"
        ) from None
