"""Convolutions of enlarged and joined fields: every way gives what the plain operations do."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.convolutions import ENLARGED, JOINED, convolve_enlarged, convolve_joined
from stormdraw.models.ways import Way, of_most_memory


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
@pytest.mark.parametrize("way", ENLARGED)
def test_enlarged_as_by_nearest_points(way: Way, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(3, 2, 3, padding=1).double(), doubles(2, 3, *shape)
    inputs = [x, *layer.parameters()]
    found = gradients(lambda: way(layer, (x,)), inputs)
    expected = gradients(
        lambda: layer(functional.interpolate(x, scale_factor=2.0, mode="nearest")), inputs
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("size", "padding", "stride"), [(1, 0, 1), (3, 1, 1), (3, 1, 2)])
@pytest.mark.parametrize("way", JOINED)
def test_joined_as_side_by_side(way: Way, size: int, padding: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 2, size, padding=padding, stride=stride).double()
    parts = (doubles(2, 1, 5, 4), doubles(2, 3, 5, 4), doubles(2, 2, 5, 4))
    inputs = [*parts, *layer.parameters()]
    found = gradients(lambda: way(layer, parts), inputs)
    expected = gradients(lambda: layer(torch.cat(parts, dim=1)), inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_whatever_is_chosen_gives_the_same() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(8, 8, 3, padding=1), torch.randn(1, 8, 6, 6)
    parts = x.split([3, 5], dim=1)
    first = convolve_enlarged(layer, x), convolve_joined(layer, parts)
    with of_most_memory():
        last = convolve_enlarged(layer, x), convolve_joined(layer, parts)
    for one, other in zip(first, last, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(convolve_joined(layer, (x,)), layer(x), rtol=1e-5, atol=1e-5)


def test_half_precision_loses_no_more() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(8, 8, 3, padding=1), torch.randn(1, 8, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):
        half = convolve_enlarged(layer, x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), convolve_enlarged(layer, x), rtol=0.02, atol=0.02)
