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
Implementation = Callable[[nn.Conv2d, Sequence[torch.Tensor]], torch.Tensor]

# Devices to time on, and the number of repetitions.
_TIMED_ON = ("cuda",)
_ROUNDS = 3

_chosen: dict[tuple[Any, ...], Implementation] = {}
_use_largest = False


def fastest(
    implementations: Sequence[Implementation], layer: nn.Conv2d, inputs: Sequence[torch.Tensor]
) -> Implementation:
    """The implementation to use, forward and, where gradients are recorded, backward.

    The first must need the least memory, the last the most. A compiled network takes the first one
    as well, since a compiler measures for itself.
    """
    if _use_largest:
        return implementations[-1]
    device = inputs[0].device.type
    if device not in _TIMED_ON or torch.compiler.is_compiling():
        return implementations[0]
    key = (implementations, _situation(layer, inputs))
    if key not in _chosen:
        seconds = [_seconds(implementation, layer, inputs) for implementation in implementations]
        _chosen[key] = implementations[seconds.index(min(seconds))]
        told = ", ".join(
            f"{implementation.__name__} {1000 * took:.2f} ms"
            for implementation, took in zip(implementations, seconds, strict=True)
        )
        logger.debug("of %s: %s", tuple(inputs[0].shape), told)
    return _chosen[key]


@contextlib.contextmanager
def largest_implementations(wanted: bool = True) -> Iterator[None]:
    """Use the last implementation within this context if `wanted`: a plan must hold on any GPU."""
    global _use_largest
    before = _use_largest
    _use_largest = wanted
    try:
        yield
    finally:
        _use_largest = before


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


def _seconds(
    implementation: Implementation, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]
) -> float:
    """The shortest time of a pass; infinite if memory runs out."""
    try:
        _pass(implementation, layer, inputs)
        took = []
        for _ in range(_ROUNDS):
            _wait(inputs[0].device)
            begun = time.perf_counter()
            _pass(implementation, layer, inputs)
            _wait(inputs[0].device)
            took.append(time.perf_counter() - begun)
    except torch.OutOfMemoryError:
        return float("inf")
    return min(took)


def _pass(implementation: Implementation, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> None:
    if not torch.is_grad_enabled():
        implementation(layer, inputs)
        return
    copies = [each.detach().requires_grad_() for each in inputs]
    result = implementation(layer, copies)
    wanted = [*copies, *(each for each in layer.parameters() if each.requires_grad)]
    torch.autograd.grad(result, wanted, torch.ones_like(result))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
