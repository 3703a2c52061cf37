"""Padding to sides that can be halved."""

import torch

from stormdraw.models.padding import pad_to_multiple


def test_reflects_about_the_last_row_and_column() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    # Rows 0 1 2 / 3 4 5 / 6 7 8: the mirror of the last row is the one before it, not itself.
    expected = [[0, 1, 2, 1], [3, 4, 5, 4], [6, 7, 8, 7], [3, 4, 5, 4]]
    assert pad_to_multiple(x, 2)[0, 0].tolist() == expected
    assert pad_to_multiple(x, 3) is x


def test_full_grid_becomes_1064_by_1800() -> None:
    x = torch.empty((1, 1, 1059, 1799), device="meta")
    assert pad_to_multiple(x, 8).shape[-2:] == (1064, 1800)


def test_a_short_side_repeats_its_edge() -> None:
    x = torch.tensor([[1.0, 2.0]]).reshape(1, 1, 1, 2)
    assert pad_to_multiple(x, 4)[0, 0].tolist() == [[1, 2, 2, 2]] * 4
