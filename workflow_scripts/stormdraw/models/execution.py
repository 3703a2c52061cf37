"""How a network runs, whatever it computes: precision of norms, recomputation, compilation.

None of this changes the names of weights, so a checkpoint loads whatever was chosen.
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
    """Normalise in float32 even under autocast: variances in half precision lose digits.

    The output has autocast's type again, so that the next layer keeps half as many bytes.
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
    # The meta device has no autocast.
    if device != "meta" and torch.is_autocast_enabled(device):
        return output.to(torch.get_autocast_dtype(device))
    return output


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The parts of a network whose activations can be recomputed, in order of creation.

    A network may list them in a method `blocks()`. Otherwise they are the innermost modules with
    weights whose classes are defined in the network's own file.
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
    """Let a share `ratio` of the blocks, evenly spread, recompute their activations.

    They are then not kept for the backward pass (Chen et al. 2016). Nothing changes where no
    gradients are recorded, as in sampling.
    """
    blocks = blocks_of(network)
    for index, block in enumerate(blocks):
        # True whenever ratio x index passes a whole number; the last block is chosen first.
        if int((index + 1) * ratio + 1e-9) > int(index * ratio + 1e-9):
            block.forward = _recomputed(block.forward)


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    def recomputed(*inputs: Any, **options: Any) -> Any:
        if torch.is_grad_enabled():
            return checkpoint(forward, *inputs, use_reentrant=False, **options)
        return forward(*inputs, **options)

    return recomputed


def compile_network(network: nn.Module, mode: str) -> None:
    """Compile a network in one of torch.compile's modes; `none` does nothing."""
    if mode != "none":
        network.compile(mode=mode)


def replays_graphs(mode: str) -> bool:
    """Whether a network compiled in this mode replays CUDA graphs.

    Each replay overwrites the outputs of the one before. If autograd has no memory for a gradient,
    it keeps it where the graph has left it, and the next batch of the same optimizer step
    overwrites it (PyTorch issues 96693 and 169545). With accumulation, gradients therefore need
    memory of their own, and the start of each batch must be marked.
    """
    return mode in _REPLAYING_MODES


@contextlib.contextmanager
def explained_compilation(name: str, mode: str) -> Iterator[None]:
    """Turn failures of torch.compile, which come with the first step, into StormdrawError."""
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
