"""Convolutions of upsampled and of concatenated fields, with and without making those fields.

All implementations agree to rounding and share the plain weights. On a processor, a step on HRRR's
full grid spends most of its time moving such fields through memory.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.implementations import fastest


def convolve_upsampled(layer: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """A 3 x 3 convolution, padded by one, of x (B, C, Y, X) after nearest upsampling by two.

    The result is (B, O, 2 Y, 2 X).
    """
    if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        # A processor may lack a transposed convolution in half precision, and emulates it slowly.
        return upsample_then_convolve(layer, (x,))
    return fastest(UPSAMPLED, layer, (x,))(layer, (x,))


def convolve_concatenated(layer: nn.Conv2d, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """A convolution of the concatenated parts (B, C_k, Y, X), (B, O, Y', X')."""
    if len(parts) == 1:
        return layer(parts[0])
    return fastest(CONCATENATED, layer, parts)(layer, parts)


def transposed_convolution(layer: nn.Conv2d, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Convolve the points directly by a transposed convolution.

    Nearest upsampling is a transposed convolution of stride 2 with four ones. Together with the
    layer it is one with the 4 x 4 kernel of their sums (Shi et al. 2016, sub-pixel convolution): 4
    products per output and channel instead of 9.
    """
    (x,) = parts
    mirrored = layer.weight.flip(2, 3)
    kernel = sum(
        functional.pad(mirrored, (left, 1 - left, top, 1 - top))
        for left in (0, 1)
        for top in (0, 1)
    )
    kernel = kernel.transpose(0, 1)  # type: ignore[union-attr]
    return functional.conv_transpose2d(x, kernel, layer.bias, stride=2, padding=1)


def upsample_then_convolve(layer: nn.Conv2d, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Make the upsampled field, then convolve it."""
    (x,) = parts
    return layer(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


def sum_of_convolutions(layer: nn.Conv2d, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """The sum of the convolutions of the parts, each with its share of the weights."""
    shares = layer.weight.split([part.shape[1] for part in parts], dim=1)

    def convolved(place: int, bias: torch.Tensor | None = None) -> torch.Tensor:
        stride, padding = layer.stride, layer.padding
        return functional.conv2d(parts[place], shares[place], bias, stride, padding)

    result = convolved(0, layer.bias)
    for place in range(1, len(parts)):
        result = result + convolved(place)
    return result


def concatenate_then_convolve(layer: nn.Conv2d, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Make the concatenated field, then convolve it."""
    return layer(torch.cat(tuple(parts), dim=1))


# The first is faster on processors and takes less memory.
UPSAMPLED = (transposed_convolution, upsample_then_convolve)
CONCATENATED = (sum_of_convolutions, concatenate_then_convolve)
