"""Chooses the fastest of several implementations of a layer on its device.

A processor takes the first one: the order follows measurements on two processors
(docs/training-benchmark.md), and a fixed choice makes trainings reproducible. GPUs differ more, so
each implementation is timed when it is first needed for a layer and a shape.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

logger = logging.getLogger(__name__)

# implementation(layer, inputs) -> output
Way = Callable[[nn.Conv2d, Sequence[torch.Tensor]], torch.Tensor]

# Devices to time on, and the number of repetitions.
_TIMED_ON = ("cuda",)
_ROUNDS = 3

_chosen: dict[tuple[Any, ...], Way] = {}
_largest = False


def fastest(ways: Sequence[Way], layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> Way:
    """The implementation to use, forward and, where gradients are recorded, backward.

    The first must need the least memory, the last the most. A compiled network takes the first one
    as well, since a compiler measures for itself.
    """
    if _largest:
        return ways[-1]
    device = inputs[0].device.type
    if device not in _TIMED_ON or torch.compiler.is_compiling():
        return ways[0]
    key = (ways, _situation(layer, inputs))
    if key not in _chosen:
        seconds = [_seconds(way, layer, inputs) for way in ways]
        _chosen[key] = ways[seconds.index(min(seconds))]
        told = ", ".join(
            f"{way.__name__} {1000 * took:.2f} ms" for way, took in zip(ways, seconds, strict=True)
        )
        logger.debug("of %s: %s", tuple(inputs[0].shape), told)
    return _chosen[key]


@contextlib.contextmanager
def of_most_memory(wanted: bool = True) -> Iterator[None]:
    """Within this context, use the last implementation if `wanted`: a plan must hold for any GPU."""
    global _largest
    before = _largest
    _largest = wanted
    try:
        yield
    finally:
        _largest = before


def _situation(layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> tuple[Any, ...]:
    """What the time of an implementation depends on."""
    device = inputs[0].device
    return (
        device,
        torch.is_autocast_enabled(device.type) and torch.get_autocast_dtype(device.type),
        torch.is_grad_enabled(),
        tuple(layer.weight.shape),
        *((tuple(each.shape), each.stride(), each.dtype) for each in inputs),
    )


def _seconds(way: Way, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> float:
    """The shortest time of a pass; infinite if memory runs out."""
    try:
        _pass(way, layer, inputs)
        took = []
        for _ in range(_ROUNDS):
            _wait(inputs[0].device)
            begun = time.perf_counter()
            _pass(way, layer, inputs)
            _wait(inputs[0].device)
            took.append(time.perf_counter() - begun)
    except torch.OutOfMemoryError:
        return float("inf")
    return min(took)


def _pass(way: Way, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> None:
    if not torch.is_grad_enabled():
        way(layer, inputs)
        return
    copies = [each.detach().requires_grad_() for each in inputs]
    result = way(layer, copies)
    wanted = [*copies, *(each for each in layer.parameters() if each.requires_grad)]
    torch.autograd.grad(result, wanted, torch.ones_like(result))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
