"""Attention among the points around each point of a coarse grid.

Points attend within windows, not to the whole grid: a network that learns from crops would meet
many more points when it forecasts on a whole grid, and a point's forecast would depend on where the
grid ends. A point attends to 64 others on every grid; on HRRR's, halved four times, it would
otherwise attend to 67 x 113 = 7,571.
"""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.norms import make_norm
from stormdraw.models.residual import zeroed

# Blocks of BLOCK x BLOCK points attend to themselves and HALO points around (Vaswani et al. 2021,
# HaloNet).
BLOCK, HALO = 4, 2
_SEEN = BLOCK + 2 * HALO
# How many points far the points of a block look.
REACH = BLOCK + HALO - 1


class WindowAttention(nn.Module):
    """Adds to features what attention among the points nearby makes of them, at first nothing.

    The weight of a point depends on how it lies to the one that attends as well, by a number for
    each head and displacement (Liu et al. 2021, Swin Transformer, equation 4). At the edge of the
    grid, the points beyond are copies of those on it.
    """

    offsets: torch.Tensor

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = make_norm("local", channels)
        self.enter = nn.Conv2d(channels, 3 * channels, 1)
        self.by_offset = nn.Parameter(torch.zeros(heads, (2 * REACH + 1) ** 2))
        self.leave = zeroed(nn.Conv2d(channels, channels, 1))
        self.register_buffer("offsets", _offsets(), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, C, Y, X) -> the same."""
        height, width = x.shape[-2:]
        bottom, right = -height % BLOCK, -width % BLOCK
        asking, seen = self.enter(self.norm(x)).split([x.shape[1], 2 * x.shape[1]], dim=1)
        asking = functional.pad(asking, (0, right, 0, bottom), mode="replicate")
        around = (HALO, right + HALO, HALO, bottom + HALO)
        keys, values = functional.pad(seen, around, mode="replicate").chunk(2, dim=1)
        attended = functional.scaled_dot_product_attention(
            self._windows(asking, BLOCK),
            self._windows(keys, _SEEN),
            self._windows(values, _SEEN),
            attn_mask=self.by_offset[:, self.offsets],
        )
        blocks = ((height + bottom) // BLOCK, (width + right) // BLOCK)
        joined = attended.reshape(-1, *blocks, self.heads, BLOCK, BLOCK, attended.shape[-1])
        joined = joined.permute(0, 3, 6, 1, 4, 2, 5).reshape(
            -1, x.shape[1], BLOCK * blocks[0], BLOCK * blocks[1]
        )
        return x + self.leave(joined[..., :height, :width])

    def _windows(self, x: torch.Tensor, side: int) -> torch.Tensor:
        """The windows of `side` points at each block of x (B, C, Y, X), (B n, heads, side^2, d)."""
        windows = x.unfold(2, side, BLOCK).unfold(3, side, BLOCK)  # (B, C, ny, nx, side, side)
        points = windows.permute(0, 2, 3, 1, 4, 5).reshape(
            -1, self.heads, x.shape[1] // self.heads, side * side
        )
        return points.transpose(-1, -2)


def _offsets() -> torch.Tensor:
    """The number of the displacement from each point of a block to each one seen, (16, 64)."""
    asking, seen = torch.arange(BLOCK), torch.arange(-HALO, BLOCK + HALO)
    along = seen - asking[:, None] + REACH  # (BLOCK, SEEN)
    both = along[:, None, :, None] * (2 * REACH + 1) + along[None, :, None, :]
    return both.reshape(BLOCK**2, _SEEN**2)
