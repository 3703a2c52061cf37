"""A small stochastic U-Net: noise at several scales is part of its input.

The network of `conditional_unet` without the noisy state and the timestep, trained in one step as
an ensemble (Lang et al. 2024, AIFS-CRPS; Larsson et al. 2025, CRPS-LAM). Smooth noise spares the
network from spreading white noise over a storm with a receptive field of 20 points.
"""

import itertools
import math

import torch
from torch import nn

from stormdraw.models.advection import REACH, Advection
from stormdraw.models.convolutions import convolve_upsampled
from stormdraw.models.families.stochastic_unet import Options
from stormdraw.models.networks.conditional_unet import ResidualBlock
from stormdraw.models.norms import make_norm
from stormdraw.models.padding import pad_to_multiple
from stormdraw.models.reach import level_context
from stormdraw.models.smooth_noise import smooth_noise
from stormdraw.models.white_noise import White


class Network(nn.Module):
    """Draws one sample for each noise, given a condition on the same grid, of any size."""

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        widths, norm = options.channels, options.norm
        self.scales = tuple(options.noise_scales)
        self.multiple = 2 ** (len(widths) - 1)
        self.context = _context(options)
        self.enter = nn.Conv2d(condition_channels + len(self.scales), widths[0], 1)
        levels = list(itertools.pairwise(widths))
        self.fine = nn.ModuleList([ResidualBlock(width, width, norm) for width, _ in levels])
        self.down = nn.ModuleList(
            [nn.Conv2d(width, below, 3, stride=2, padding=1) for width, below in levels]
        )
        self.coarsest = nn.Sequential(
            *(ResidualBlock(widths[-1], widths[-1], norm) for _ in range(3))
        )
        self.up = nn.ModuleList([nn.Conv2d(below, width, 3, padding=1) for width, below in levels])
        self.merge = nn.ModuleList([ResidualBlock(2 * width, width, norm) for width, _ in levels])
        self.carry = None
        if options.displacements:
            finest, below = levels[0]
            self.carry = Advection(below, options.displacements, norm)
            self.merge[0] = ResidualBlock(3 * finest, finest, norm)
        self.leave = nn.Sequential(
            make_norm(norm, widths[0]),
            nn.SiLU(),
            nn.Conv2d(widths[0], variables, 3, padding=1),
        )

    def forward(self, condition: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """condition (B, C, Y, X), noise (B, N, Y, X) -> (B, V, Y, X)."""
        height, width = condition.shape[-2:]
        x = torch.cat([condition, noise.to(condition.dtype)], dim=1)
        x = self.enter(pad_to_multiple(x, self.multiple))
        skips = []
        for block, down in zip(self.fine, self.down, strict=True):
            x = block(x)
            skips.append(x)
            x = down(x)
        x = self.coarsest(x)
        for level, skip in reversed(list(enumerate(skips))):
            enlarged = convolve_upsampled(self.up[level], x)
            parts: tuple[torch.Tensor, ...] = (enlarged, skip)
            if self.carry is not None and level == 0:
                parts = (*parts, self.carry(skip, x))
            x = self.merge[level](parts)
        return self.leave(x)[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        return [*self.fine, *self.coarsest, *reversed(self.merge)]

    def draw_noise(self, white: White, shape: tuple[int, int]) -> torch.Tensor:
        """Noise on (y, x) points made from `white` noise, (B, N, Y, X)."""
        channels = [smooth_noise(white, shape, scale) for scale in self.scales]
        return torch.cat(channels, dim=1)


def _context(options: Options) -> int | None:
    if options.norm == "group":
        return None
    below = 3 * 2
    for _ in options.channels[2:]:
        below = level_context(below, before=2, after=2)
    context = level_context(below, before=2, after=2)
    if options.displacements:
        # The convolution that predicts displacements is one more on the coarse level; the finest
        # level's features are moved.
        context = max(level_context(below + 1, before=2, after=2), 2 + math.ceil(REACH) + 2)
    return context + 1
