"""Convolutions of upsampled and concatenated fields agree with the plain operations."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.convolutions import (
    CONCATENATED,
    UPSAMPLED,
    convolve_concatenated,
    convolve_upsampled,
)
from stormdraw.models.implementations import Implementation, largest_implementations


def doubles(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def gradients(
    function: Callable[[], torch.Tensor], inputs: list[torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """The result and the gradient of a sum of its parts with fixed weights."""
    result = function()
    weights = torch.randn(result.shape, dtype=result.dtype, generator=torch.Generator())
    return result, *torch.autograd.grad((weights * result).sum(), inputs)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("implementation", UPSAMPLED)
def test_upsampled_convolution_equals_convolution_of_nearest_upsampling(
    implementation: Implementation, shape: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(3, 2, 3, padding=1).double(), doubles(2, 3, *shape)
    inputs = [x, *layer.parameters()]
    found = gradients(lambda: implementation(layer, (x,)), inputs)
    expected = gradients(
        lambda: layer(functional.interpolate(x, scale_factor=2.0, mode="nearest")), inputs
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("size", "padding", "stride"), [(1, 0, 1), (3, 1, 1), (3, 1, 2)])
@pytest.mark.parametrize("implementation", CONCATENATED)
def test_concatenated_convolution_equals_convolution_of_the_concatenation(
    implementation: Implementation, size: int, padding: int, stride: int
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 2, size, padding=padding, stride=stride).double()
    parts = (doubles(2, 1, 5, 4), doubles(2, 3, 5, 4), doubles(2, 2, 5, 4))
    inputs = [*parts, *layer.parameters()]
    found = gradients(lambda: implementation(layer, parts), inputs)
    expected = gradients(lambda: layer(torch.cat(parts, dim=1)), inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_all_implementations_agree() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(8, 8, 3, padding=1), torch.randn(1, 8, 6, 6)
    parts = x.split([3, 5], dim=1)
    first = convolve_upsampled(layer, x), convolve_concatenated(layer, parts)
    with largest_implementations():
        last = convolve_upsampled(layer, x), convolve_concatenated(layer, parts)
    for one, other in zip(first, last, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(convolve_concatenated(layer, (x,)), layer(x), rtol=1e-5, atol=1e-5)


def test_half_precision_loses_no_more() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(8, 8, 3, padding=1), torch.randn(1, 8, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):
        half = convolve_upsampled(layer, x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), convolve_upsampled(layer, x), rtol=0.02, atol=0.02)
