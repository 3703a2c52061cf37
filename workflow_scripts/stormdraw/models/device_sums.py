"""Sums over training batches that stay on the device until they are read.

Reading a number from a GPU makes the program wait until the GPU has finished its work, and then the
GPU waits for the program. So each batch only adds to the sums.
"""

import torch

from stormdraw.models.ranks import ALONE, Ranks


class DeviceSums:
    """Named sums of vectors, over batches and over ranks."""

    def __init__(self, ranks: Ranks = ALONE) -> None:
        self.ranks = ranks
        self._waiting: dict[str, torch.Tensor] = {}
        self._seen: dict[str, list[float]] = {}

    def add(self, **values: torch.Tensor) -> None:
        """Add vectors (n,) to the sums of these names."""
        for name, value in values.items():
            value = value.detach().double()
            waiting = self._waiting.get(name)
            self._waiting[name] = value if waiting is None else waiting + value

    def totals(self) -> dict[str, list[float]]:
        """The sums over all ranks; waits for the device. All ranks must call it."""
        if self._waiting:
            together = self.ranks.total(torch.cat(list(self._waiting.values()))).tolist()
            for name, value in self._waiting.items():
                part, together = together[: len(value)], together[len(value) :]
                seen = self._seen.get(name, [0.0] * len(part))
                self._seen[name] = [a + b for a, b in zip(seen, part, strict=True)]
            self._waiting = {}
        return self._seen

    def restart_from(self, seen: dict[str, list[float]]) -> None:
        """Restart from sums that `totals` returned, or from nothing."""
        self._waiting, self._seen = {}, dict(seen)
