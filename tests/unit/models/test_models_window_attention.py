"""Attention within windows, against attention by hand over every point."""

import pytest
import torch
from torch import nn

from stormdraw.models.window_attention import BLOCK, HALO, REACH, WindowAttention


def attention(channels: int, heads: int) -> WindowAttention:
    torch.manual_seed(0)
    layer = WindowAttention(channels, heads)
    for weights in (layer.leave.weight, layer.leave.bias, layer.by_offset):
        nn.init.normal_(weights, std=0.5)
    return layer


def by_hand(layer: WindowAttention, x: torch.Tensor) -> torch.Tensor:
    """One point and one key after the other, x (C, Y, X)."""
    channels, height, width = x.shape
    size = channels // layer.heads
    asking, keys, values = layer.enter(layer.norm(x[None]))[0].split(channels)
    out = torch.empty_like(x)
    for row in range(height):
        for column in range(width):
            tops = row // BLOCK * BLOCK - HALO, column // BLOCK * BLOCK - HALO
            seen = [
                (tops[0] + i, tops[1] + j)
                for i in range(BLOCK + 2 * HALO)
                for j in range(BLOCK + 2 * HALO)
            ]
            for head in range(layer.heads):
                part = slice(head * size, (head + 1) * size)
                logits, found = [], []
                for y, x_ in seen:
                    # Beyond the edge, the nearest point of the grid.
                    at = min(max(y, 0), height - 1), min(max(x_, 0), width - 1)
                    offset = (y - row + REACH) * (2 * REACH + 1) + x_ - column + REACH
                    product = asking[part, row, column] @ keys[part, at[0], at[1]] / size**0.5
                    logits.append(product + layer.by_offset[head, offset])
                    found.append(values[part, at[0], at[1]])
                weights = torch.stack(logits).softmax(dim=0)
                out[part, row, column] = (weights[:, None] * torch.stack(found)).sum(dim=0)
    return x + layer.leave(out[None])[0]


def test_every_point_attends_to_its_block_and_the_points_around() -> None:
    layer = attention(4, heads=2)
    # Two blocks and a part of a third along x, a part of a block along y.
    x = torch.randn(2, 4, 3, 9)
    with torch.no_grad():
        out = layer(x)
        torch.testing.assert_close(out[1], by_hand(layer, x[1]), rtol=1e-4, atol=1e-5)


def test_it_begins_as_the_identity() -> None:
    x = torch.randn(1, 8, 6, 7)
    torch.testing.assert_close(WindowAttention(8, heads=2)(x), x, rtol=0, atol=0)


def test_its_memory_grows_with_the_points_and_not_with_their_pairs() -> None:
    def saved(side: int) -> int:
        total = 0

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.nbytes
            return tensor

        layer, x = attention(8, heads=2), torch.randn(1, 8, side, side, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            layer(x)
        return total

    assert saved(64) == pytest.approx(4 * saved(32), rel=0.05)
