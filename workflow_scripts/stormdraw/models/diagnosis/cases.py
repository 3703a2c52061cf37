"""The cases of a diagnosis: a few pairs of hours, each with its own and another condition."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from stormdraw.grids import Window
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Batch, Pairs

# Enough to tell models apart by their means, few enough to take seconds.
LARGEST_COUNT = 6

# Points per side of the examined part of the grid, unless the model's training crop is larger.
_LARGEST_SIDE = 256


@dataclass(frozen=True)
class DiagnosedCase:
    """One pair of hours, a batch of one, and its condition (1, C, Y, X).

    `shuffled` is the condition of another case, None if there is no other.
    """

    number: int
    batch: Batch
    condition: torch.Tensor
    shuffled: torch.Tensor | None

    def conditions(self) -> list[torch.Tensor]:
        """The right condition, and the wrong one if there is one."""
        return [self.condition] if self.shuffled is None else [self.condition, self.shuffled]


def chosen_pairs(count: int) -> list[int]:
    """At most LARGEST_COUNT of `count` pairs, spread evenly from the first to the last."""
    chosen = min(count, LARGEST_COUNT)
    return [round(place * (count - 1) / max(chosen - 1, 1)) for place in range(chosen)]


def central_window(shape: tuple[int, int], crop: tuple[int, int] | None) -> Window:
    """The middle of a (y, x) grid, small enough to be cheap."""
    slices = []
    for size, learnt in zip(shape, crop or (0, 0), strict=True):
        side = min(size, max(_LARGEST_SIDE, learnt))
        first = (size - side) // 2
        slices.append(slice(first, first + side))
    return slices[0], slices[1]


def diagnosed_cases(
    model: Forecaster, pairs: Pairs, window: Window, device: torch.device
) -> Iterator[DiagnosedCase]:
    """The chosen cases one after another, on the device.

    The other case is half of the cases away, so that weather and hour of the day both differ.
    """
    chosen = chosen_pairs(len(pairs))
    for number, index in enumerate(chosen):
        batch = pairs.batch([index], [window]).to(device)
        other = chosen[(number + len(chosen) // 2) % len(chosen)]
        shuffled = None
        if other != index:
            shuffled = condition_of(model, pairs.batch([other], [window]).to(device))
        yield DiagnosedCase(number, batch, condition_of(model, batch), shuffled)


def condition_of(model: Forecaster, batch: Batch) -> torch.Tensor:
    """The network's condition, (B, C, Y, X)."""
    return model.condition(batch.now, batch.forcings, batch.before)
