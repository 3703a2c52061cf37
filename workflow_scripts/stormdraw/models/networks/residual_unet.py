"""A U-Net of residual blocks, with attention on its coarsest levels.

Channels grow linearly with the level, so that a level costs less than the one above, and a few
halvings more, which see farther, cost next to nothing.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models import advection, window_attention
from stormdraw.models.advection import Advection
from stormdraw.models.convolutions import convolve_concatenated
from stormdraw.models.families.residual_unet import Options
from stormdraw.models.networks.conditional_unet import TimeEmbedding
from stormdraw.models.norms import make_norm
from stormdraw.models.padding import pad_to_multiple
from stormdraw.models.reach import level_context
from stormdraw.models.residual import ResidualBlock, convolution, zeroed
from stormdraw.models.white_noise import White
from stormdraw.models.window_attention import WindowAttention

# Points that a residual block looks far.
_OF_BLOCK = 2


class _UNet(nn.Module):
    """Maps fields to fields of the same grid, of any size; gives zero before training."""

    def __init__(self, inputs: int, outputs: int, told_channels: int, options: Options) -> None:
        super().__init__()
        self.halvings = options.depth
        self.multiple = 2**options.depth * (window_attention.BLOCK if options.attention else 1)
        self.context = _context(options)
        widths = [options.width * (level + 1) for level in range(options.depth + 1)]
        counts = [_count(options, level) for level in range(options.depth + 1)]
        heads = [level + 1 if _attends(options, level) else 0 for level in range(len(widths))]
        self.enter = convolution(inputs, widths[0])
        self.before = nn.ModuleList(
            _Side(width, told_channels, count, own)
            for width, count, own in zip(widths, counts, heads, strict=True)
        )
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.join = nn.ModuleList(
            _Join(fine, coarse, options.displacements if level == 0 else 0)
            for level, (fine, coarse) in enumerate(pairs)
        )
        self.after = nn.ModuleList(
            _Side(width, told_channels, count) for width, count in zip(widths, counts, strict=True)
        )
        self.leave = nn.Sequential(
            make_norm("local", widths[0]), nn.SiLU(), zeroed(convolution(widths[0], outputs))
        )

    def _mapped(self, x: torch.Tensor, told: Sequence[torch.Tensor | None]) -> torch.Tensor:
        """x (B, C, Y, X), and what blocks of each level are told besides -> (B, V, Y, X)."""
        height, width = x.shape[-2:]
        x = self.enter(pad_to_multiple(x, 2**self.halvings))
        skips = []
        for level, down in enumerate(self.down):
            x = self.before[level](x, told[level])
            skips.append(x)
            x = down(x)
        x = self.after[-1](self.before[-1](x, told[-1]), told[-1])
        for level, skip in reversed(list(enumerate(skips))):
            x = self.after[level](self.join[level](skip, x), told[level])
        return self.leave(x)[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        kinds = (ResidualBlock, WindowAttention, _Join)
        return [*(part for part in self.modules() if isinstance(part, kinds)), self.leave]


class _Side(nn.Module):
    """The residual blocks of a level on one side of the U, then attention if it has `heads`."""

    def __init__(self, width: int, told_channels: int, count: int, heads: int = 0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(width, told_channels) for _ in range(count))
        self.attention = WindowAttention(width, heads) if heads else None

    def forward(self, x: torch.Tensor, told: torch.Tensor | None) -> torch.Tensor:
        """x (B, C, Y, X) -> the same; `told` as in a residual block."""
        for block in self.blocks:
            x = block(x, told)
        return x if self.attention is None else self.attention(x)


class _Join(nn.Module):
    """Joins a level's features with those of the coarser level, and with its own as moved."""

    def __init__(self, fine: int, coarse: int, displacements: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(coarse, fine, 1)
        self.carry = None
        if displacements:
            self.carry = Advection(coarse, displacements, "local", "replicate")
        self.join = nn.Conv2d((3 if displacements else 2) * fine, fine, 1)

    def forward(self, skip: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
        """skip (B, C, Y, X), below (B, D, Y/2, X/2) -> (B, C, Y, X)."""
        # Bilinear, since nearest points would leave blocks, and zeros beyond the edge a frame.
        enlarged = functional.interpolate(
            self.up(below), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        parts = [enlarged, skip]
        if self.carry is not None:
            parts.append(self.carry(skip, below))
        return convolve_concatenated(self.join, parts)


class Denoiser(_UNet):
    """Predicts noise or velocity of a noisy state, given a condition on the same grid."""

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        size = 4 * options.width
        super().__init__(variables + condition_channels, variables, size, options)
        self.time = TimeEmbedding(size)

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, V, Y, X), condition (B, C, Y, X), timestep (B,) -> (B, V, Y, X)."""
        time = self.time(timestep)[:, :, None, None]
        return self._mapped(torch.cat([noisy, condition], dim=1), [time] * (self.halvings + 1))


class Generator(_UNet):
    """Draws one sample for each noise, given a condition on the same grid."""

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__(condition_channels, variables, options.noise, options)
        self.channels = options.noise

    def forward(self, condition: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """condition (B, C, Y, X), noise (B, N, Y', X') or (B, N, Y, X) -> (B, V, Y, X)."""
        told = [pad_to_multiple(noise, 2**self.halvings)]
        for _ in range(self.halvings):
            # The mean of four independent numbers, with variance 1 again: white on every level.
            told.append(2.0 * functional.avg_pool2d(told[-1], 2))
        return self._mapped(condition, told)

    def draw_noise(self, white: White, shape: tuple[int, int]) -> torch.Tensor:
        """Noise for (y, x) points made from `white` noise, on as many as can be halved."""
        rows, columns = (side + -side % 2**self.halvings for side in shape)
        return white((self.channels, rows, columns))


class Regressor(_UNet):
    """Predicts the target itself, given a condition on the same grid."""

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__(condition_channels, variables, 0, options)

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """condition (B, C, Y, X) -> (B, V, Y, X)."""
        return self._mapped(condition, [None] * (self.halvings + 1))


def _count(options: Options, level: int) -> int:
    """A level's blocks on each side: two, but one where they cost most or stand in the middle."""
    return 1 if level in (0, options.depth) else 2


def _attends(options: Options, level: int) -> bool:
    return level > options.depth - options.attention


def _context(options: Options) -> int:
    below = 0
    for level in reversed(range(options.depth + 1)):
        after = _OF_BLOCK * _count(options, level)
        before = after + (window_attention.REACH if _attends(options, level) else 0)
        if level == options.depth:
            below = before + after
            continue
        if options.displacements and level == 0:
            # One convolution more finds displacements, by which the finest features are moved.
            moved = after + math.ceil(advection.REACH) + before
            below = max(level_context(below + 1, before, after, crossing=2), moved)
        else:
            below = level_context(below, before, after, crossing=2)
    return 1 + below + 1
