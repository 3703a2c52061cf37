"""Blocks that cover a grid, cut and joined by hand."""

import pytest
import torch

from stormdraw.models.blocks import Blocks


def field(rows: int, columns: int) -> torch.Tensor:
    """Every point tells where it is: 100 y + x."""
    return 100.0 * torch.arange(rows)[:, None] + torch.arange(columns)


@pytest.mark.parametrize("shape", [(8, 12), (9, 13), (4, 4), (7, 4), (11, 14)])
def test_every_point_is_in_a_block(shape: tuple[int, int]) -> None:
    blocks, whole = Blocks(4, shape), field(*shape)
    cut = blocks.cut(whole)
    assert len(cut) == len(blocks) == -(-shape[0] // 4) * -(-shape[1] // 4)
    assert torch.equal(blocks.join(cut), whole)


def test_blocks_by_hand() -> None:
    """9 x 6 points: rows from 0, 4 and 5, columns from 0 and 2."""
    blocks = Blocks(4, (9, 6))
    cut = blocks.cut(torch.stack([field(9, 6), -field(9, 6)]))
    assert cut.shape == (2, 6, 4, 4)
    assert cut[0, :, 0, 0].tolist() == [0, 2, 400, 402, 500, 502]
    assert cut[0, 3].tolist() == [[100 * y + x for x in range(2, 6)] for y in range(4, 8)]
    assert torch.equal(cut[1], -cut[0])


def test_of_overlapping_blocks_the_first_counts() -> None:
    blocks = Blocks(4, (9, 6))
    numbers = torch.arange(6.0)[:, None, None].expand(6, 4, 4)
    joined = blocks.join(numbers)
    assert joined[:, 0].tolist() == [0] * 4 + [2] * 4 + [4]
    assert joined[0].tolist() == [0] * 4 + [1] * 2
    assert joined[8].tolist() == [4] * 4 + [5] * 2


def test_a_grid_smaller_than_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="no block of 4 x 4 points in 3 x 9"):
        Blocks(4, (3, 9))
