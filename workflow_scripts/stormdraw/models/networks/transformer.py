"""A vision transformer over patches of the grid (Dosovitskiy et al. 2021), for the next state."""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families.transformer import Options
from stormdraw.models.padding import pad_to_multiple


class Network(nn.Module):
    """The next state from the current one; the grid is padded to whole patches and cropped back."""

    # Every patch attends to all others.
    context = None

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        self.patch = self.multiple = options.patch
        hidden = options.hidden
        self.enter = nn.Conv2d(condition_channels, hidden, self.patch, stride=self.patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, hidden, *options.positions))
        self.layers = nn.ModuleList([Layer(options) for _ in range(options.layers)])
        self.leave = nn.Sequential(
            nn.LayerNorm(hidden), nn.Linear(hidden, variables * self.patch**2)
        )

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """condition (B, C, Y, X) -> (B, V, Y, X)."""
        height, width = condition.shape[-2:]
        x = self.enter(pad_to_multiple(condition, self.patch))  # (B, H, rows, columns)
        rows, columns = x.shape[-2:]
        x = x + self._positions(rows, columns)
        tokens = x.flatten(2).transpose(1, 2)  # (B, rows columns, H)
        for layer in self.layers:
            tokens = layer(tokens)
        patches = self.leave(tokens).transpose(1, 2).unflatten(2, (rows, columns))
        return functional.pixel_shuffle(patches, self.patch)[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        return list(self.layers)

    def _positions(self, rows: int, columns: int) -> torch.Tensor:
        """(1, H, rows, columns)"""
        if self.positions.shape[-2:] == (rows, columns):
            return self.positions
        return functional.interpolate(
            self.positions, (rows, columns), mode="bilinear", align_corners=False
        )


class Layer(nn.Module):
    """Attention and a feed-forward network, each after its norm."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        hidden = options.hidden
        self.heads = options.heads
        self.attention_norm = nn.LayerNorm(hidden)
        self.queries_keys_values = nn.Linear(hidden, 3 * hidden)
        self.mixed = nn.Linear(hidden, hidden)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(hidden),
            nn.Linear(hidden, options.feed_forward),
            nn.GELU(),
            nn.Linear(options.feed_forward, hidden),
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, L, H) -> the same."""
        parts = self.queries_keys_values(self.attention_norm(tokens))
        parts = parts.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.unbind()  # each (B, heads, L, H / heads)
        seen = functional.scaled_dot_product_attention(queries, keys, values)
        tokens = tokens + self.mixed(seen.transpose(1, 2).flatten(2))
        return tokens + self.feed_forward(tokens)
