"""Noise of a member that persists from hour to hour, as weather does."""

import math
from collections import deque
from collections.abc import Callable, Iterable

import torch

# correlate(fresh noise (B, N, Y, X)) -> the noise that the members use, (B, N, Y, X)
Correlate = Callable[[torch.Tensor], torch.Tensor]


class PersistentNoise:
    """The noise of members that are rolled out together: a first-order autoregressive process.

    z_h = rho z_(h-1) + sqrt(1 - rho^2) fresh_h, from z_1 = fresh_1. Its variance is 1 at every
    hour, and the correlation between hours k apart is rho^k. With rho 0, hours are independent.
    With several `draws` per hour, each is correlated with the same draw of the hour before. `last`
    are those of the last hour, of a process that goes on.
    """

    def __init__(self, rho: float, draws: int = 1, last: Iterable[torch.Tensor] = ()) -> None:
        self.rho = rho
        self._last: deque[torch.Tensor] = deque(last, maxlen=draws)
        self.draws = draws

    @property
    def last(self) -> list[torch.Tensor]:
        """The noise of the last hour, a draw each; nothing if hours are independent."""
        return list(self._last)

    def __call__(self, fresh: torch.Tensor) -> torch.Tensor:
        """The noise of the next draw, from independent white noise."""
        if self.rho == 0:
            return fresh
        noise = fresh
        if len(self._last) == self.draws:
            noise = self.rho * self._last[0] + math.sqrt(1 - self.rho**2) * fresh
        self._last.append(noise)
        return noise
