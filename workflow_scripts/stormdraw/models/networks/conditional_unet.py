"""A small conditional U-Net: one downsampling, two widths, a time embedding in every block.

With seven variables and no forcings it has exactly the size of the original recipe's two full-grid
configurations: 308 b^2 + 141 b + 7 parameters at base width b, i.e. 81,111 at 16 and 180,799 at 24.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.convolutions import convolve_concatenated, convolve_upsampled
from stormdraw.models.families import Norm
from stormdraw.models.families.conditional_unet import Options
from stormdraw.models.norms import make_norm
from stormdraw.models.padding import pad_to_multiple
from stormdraw.models.reach import level_context


class Network(nn.Module):
    """Predicts noise or velocity of a noisy state, given a condition on the same grid.

    The grid may have any size: odd sides are padded by reflection to a multiple of two and cropped
    back, since resizing would blur the skip connection.
    """

    multiple = 2

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        base, norm = options.base_channels, options.norm
        self.context = None if norm == "group" else 1 + level_context(3 * 2, before=2, after=2)
        self.enter = nn.Conv2d(variables + condition_channels, base, 1)
        self.time = TimeEmbedding(base)
        self.fine = ResidualBlock(base, base, norm, base)
        self.down = nn.Conv2d(base, 2 * base, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(
            [ResidualBlock(2 * base, 2 * base, norm, base) for _ in range(3)]
        )
        self.up = nn.Conv2d(2 * base, base, 3, padding=1)
        self.merge = ResidualBlock(2 * base, base, norm, base)
        self.leave = nn.Sequential(
            make_norm(norm, base), nn.SiLU(), nn.Conv2d(base, variables, 3, padding=1)
        )

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, V, Y, X), condition (B, C, Y, X), timestep (B,) -> (B, V, Y, X)."""
        height, width = noisy.shape[-2:]
        x = pad_to_multiple(torch.cat([noisy, condition], dim=1), 2)  # (B, V + C, Y', X')
        time = self.time(timestep)  # (B, b)
        fine = self.fine(self.enter(x), time)  # (B, b, Y', X')
        coarse = self.down(fine)  # (B, 2b, Y'/2, X'/2)
        for block in self.coarse:
            coarse = block(coarse, time)
        up = convolve_upsampled(self.up, coarse)
        merged = self.merge((up, fine), time)  # (B, b, Y', X')
        return self.leave(merged)[..., :height, :width]


class TimeEmbedding(nn.Module):
    """Sines and cosines of the timestep at geometrically spaced periods, then a linear layer.

    Vaswani et al. (2017), section 3.5, with the largest period 10,000 steps.
    """

    frequencies: torch.Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        half = size // 2
        frequencies = torch.exp(-math.log(10_000.0) * torch.arange(half) / half)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.linear = nn.Linear(size, size)

    def forward(self, timestep: torch.Tensor) -> torch.Tensor:
        """timestep (B,) -> (B, size)."""
        angle = timestep.to(self.frequencies.dtype)[:, None] * self.frequencies  # (B, size / 2)
        return functional.silu(self.linear(torch.cat([angle.sin(), angle.cos()], dim=1)))


class ResidualBlock(nn.Module):
    """Two convolutions, each with a norm and SiLU; the time embedding is added in between.

    Without `time_size` there is no time embedding. The input may come in parts whose channels add
    up to `inputs`.
    """

    def __init__(self, inputs: int, outputs: int, norm: Norm, time_size: int | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.first_norm = make_norm(norm, outputs)
        self.time = None if time_size is None else nn.Linear(time_size, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.second_norm = make_norm(norm, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(
        self, x: torch.Tensor | tuple[torch.Tensor, ...], time: torch.Tensor | None = None
    ) -> torch.Tensor:
        """x (B, inputs, Y, X), time (B, time_size) -> (B, outputs, Y, X)."""
        parts = x if isinstance(x, tuple) else (x,)
        hidden = functional.silu(self.first_norm(convolve_concatenated(self.first, parts)))
        if self.time is not None:
            hidden = hidden + self.time(time)[:, :, None, None]
        hidden = functional.silu(self.second_norm(self.second(hidden)))
        if self.shortcut is None:
            return hidden + torch.cat(parts, dim=1)
        return hidden + convolve_concatenated(self.shortcut, parts)
