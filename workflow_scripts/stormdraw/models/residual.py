"""Residual blocks that begin as the identity, and treat the edge of the grid as they do the rest.

Pre-activation (He et al. 2016, identity mappings): nothing follows the sum, so that the stream of
features neither drifts nor is normalised. The last convolution of each branch begins at zero
(Goyal et al. 2017, section 5.1). Convolutions repeat the edge instead of padding with zeros, which
are a step that no field has; all norms are those of a point. So a field that is the same everywhere
stays so.
"""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.norms import make_norm


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3 x 3 convolution that repeats the edge of the grid."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights of zero."""
    for weights in layer.parameters():
        nn.init.zeros_(weights)
    return layer


class ResidualBlock(nn.Module):
    """Adds to features what two convolutions make of them, each after a norm and SiLU.

    What else the block is `told` (B, D, ...), such as the noise level of a denoiser or the noise of
    a generator, scales and shifts the features after the second norm (Perez et al. 2018, FiLM;
    Dhariwal and Nichol 2021, adaptive norms). It is the same everywhere or has a value at each
    point. `told_channels` of 0 is nothing.
    """

    def __init__(self, channels: int, told_channels: int) -> None:
        super().__init__()
        self.first_norm = make_norm("local", channels)
        self.first = convolution(channels, channels)
        self.second_norm = make_norm("local", channels)
        self.told = nn.Conv2d(told_channels, 2 * channels, 1) if told_channels else None
        self.second = zeroed(convolution(channels, channels))

    def forward(self, x: torch.Tensor, told: torch.Tensor | None = None) -> torch.Tensor:
        """x (B, C, Y, X), told (B, D, Y, X) or (B, D, 1, 1) -> (B, C, Y, X)."""
        hidden = self.first(functional.silu(self.first_norm(x)))
        hidden = self.second_norm(hidden)
        if self.told is not None:
            scale, shift = self.told(told).chunk(2, dim=1)
            hidden = hidden * (1.0 + scale) + shift
        return x + self.second(functional.silu(hidden))
