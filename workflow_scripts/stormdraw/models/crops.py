"""Crops of the grid to learn from: where they lie, and how much their points count."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from stormdraw.grids import Window

# Of what a network looks at, most that matters is near (Luo et al. 2016, effective receptive
# fields). Of a trained crps_unet, which looks 20 points far, the CRPS at the side of a crop was
# 1.25 times that of the same points in the whole grid, 1.14, 1.09, 1.05, 1.02 and 1.01 times at the
# next ones, and the same from the seventh on.
_NEAR = 1 / 3


class Crops:
    """Crops of `size` (y, x) points of a grid of `shape`; a side longer than the grid's takes all.

    `context` is how far, in points, a network looks. Where a crop ends and the grid does not, the
    network lacks what it will know when it forecasts: within a third of that distance from such a
    side, points count less. None counts all alike, as 0 does.
    """

    def __init__(
        self, size: tuple[int, int], shape: tuple[int, int], context: int | None = None
    ) -> None:
        self.shape = shape
        self.size = tuple(min(part, whole) for part, whole in zip(size, shape, strict=True))
        self.near = math.ceil(_NEAR * (context or 0))

    def draw(self, random: np.random.Generator) -> Window:
        """A crop whose middle is any point of the grid alike.

        Where it would stick out it is moved back, so that the grid's borders, which few crops would
        reach otherwise, are learnt from as well.
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
        """How much each point of these crops counts, (B, y, x), or None if all count alike.

        From nearly 0 at a side that is not the grid's, rising in a line to 1 at a third of the
        network's context from it.
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
        """The weights along one axis, 1 where nothing is missing."""
        points = np.arange(part.start, part.stop)
        nothing_missing = np.full(len(points), self.near)
        before = points - part.start if part.start > 0 else nothing_missing
        after = part.stop - 1 - points if part.stop < side else nothing_missing
        return (np.minimum(np.minimum(before, after), self.near) + 1) / (self.near + 1)
