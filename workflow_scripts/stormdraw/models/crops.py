"""Training crops of the grid: their position, and the weight of each point."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from stormdraw.grids import Window

# Most of what matters to a network lies near (Luo et al. 2016, effective receptive fields). For a
# trained crps_unet with a receptive field of radius 20 points, the CRPS at the edge of a crop was
# 1.25 times that of the same points in the whole grid; at the next points it was 1.14, 1.09, 1.05,
# 1.02 and 1.01 times, and equal from the seventh on.
_NEAR = 1 / 3


class Crops:
    """Crops of `size` (y, x) points of a grid of `shape`; a side is at most that of the grid.

    `context` is the radius of the network's receptive field in points. Near an edge of a crop that
    is not an edge of the grid, the network lacks input that it has when it forecasts. Points within
    a third of `context` from such an edge, or of the crop's side if that is less, therefore have a
    smaller weight. With a context of None or 0, all points count equally.
    """

    def __init__(
        self, size: tuple[int, int], shape: tuple[int, int], context: int | None = None
    ) -> None:
        self.shape = shape
        self.size = tuple(min(part, whole) for part, whole in zip(size, shape, strict=True))
        self.near = math.ceil(_NEAR * (context or 0))

    def draw(self, random: np.random.Generator) -> Window:
        """A crop around a random centre; every grid point is equally likely.

        A crop that would extend beyond the grid is moved back. Edges of the grid, which few crops
        would otherwise include, are thus learned from too.
        """
        middle = random.integers(self.shape)
        starts = [
            min(max(int(centre) - part // 2, 0), whole - part)
            for centre, part, whole in zip(middle, self.size, self.shape, strict=True)
        ]
        rows, columns = (
            slice(start, start + part) for start, part in zip(starts, self.size, strict=True)
        )
        return rows, columns

    def weights(self, windows: Sequence[Window]) -> torch.Tensor | None:
        """The weight of each point of these crops, (B, y, x), or None if all points count equally.

        Weights rise linearly from nearly 0 at an edge that is not the grid's to 1 at a third of the
        network's context or of the side.
        """
        if self.near == 0 or self.size == self.shape:
            return None
        height, width = self.shape
        each = [
            np.outer(self._along(rows, height), self._along(columns, width))
            for rows, columns in windows
        ]
        return torch.from_numpy(np.stack(each).astype(np.float32))

    def _along(self, part: slice, side: int) -> np.ndarray:
        """The weights along one axis: 1 where no input is missing."""
        points = np.arange(part.start, part.stop)
        near = min(self.near, max(1, len(points) // 3))
        nothing_missing = np.full(len(points), near)
        before = points - part.start if part.start > 0 else nothing_missing
        after = part.stop - 1 - points if part.stop < side else nothing_missing
        return (np.minimum(np.minimum(before, after), near) + 1) / (near + 1)
