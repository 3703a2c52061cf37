"""A grid covered by square blocks of points."""

import torch


class Blocks:
    """Blocks of `size` x `size` points that cover a grid of `shape` (y, x), row by row.

    If the grid ends within a block, the last block is moved back until it fits and overlaps the one
    before. Raises ValueError if the grid is smaller than a block.
    """

    def __init__(self, size: int, shape: tuple[int, int]) -> None:
        if min(shape) < size:
            raise ValueError(f"no block of {size} x {size} points in {shape[0]} x {shape[1]}")
        self.size = size
        self._starts = tuple(_starts(size, points) for points in shape)

    def __len__(self) -> int:
        return len(self._starts[0]) * len(self._starts[1])

    def cut(self, fields: torch.Tensor) -> torch.Tensor:
        """Fields (..., Y, X) as blocks (..., n, size, size)."""
        within = torch.arange(self.size)
        rows, columns = (starts[:, None] + within for starts in self._starts)
        blocks = fields[..., rows[:, None, :, None], columns[None, :, None, :]]
        return blocks.flatten(-4, -3)

    def join(self, blocks: torch.Tensor) -> torch.Tensor:
        """Blocks (..., n, size, size) as fields (..., Y, X).

        Where two blocks overlap, the first one counts: the last block in a row or column only fills
        in the points beyond the others.
        """
        rows, columns = self._starts
        (row, below), (column, right) = (self._place(starts) for starts in self._starts)
        by_row = blocks.unflatten(-3, (len(rows), len(columns)))
        return by_row[..., row[:, None], column, below[:, None], right]

    def _place(self, starts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """For each point along an axis: its block, and its position within that block."""
        points = torch.arange(int(starts[-1]) + self.size)
        block = torch.div(points, self.size, rounding_mode="floor")
        return block, points - starts[block]


def _starts(size: int, points: int) -> torch.Tensor:
    """The first point of each block along an axis."""
    return (torch.arange(-(-points // size)) * size).clamp(max=points - size)
