"""How busy the GPU is."""

import time

import torch
from pynvml import NVMLError

_SECONDS_BETWEEN_LOOKS = 1.0


class GpuLoad:
    """The mean share of time in which the GPU was busy, looked at once a second at most.

    One look tells of the last second or less, so that a single one says little of an epoch.
    """

    def __init__(self) -> None:
        self._looked = -float("inf")
        self._found: list[float] = []

    def look(self) -> None:
        """Look now, unless it was looked at just before."""
        if time.monotonic() - self._looked < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked = time.monotonic()
        share = present_load()
        if share is not None:
            self._found.append(share)

    def take_mean(self) -> float | None:
        """The mean since the last time this was asked for; None where no GPU tells."""
        found, self._found = self._found, []
        return sum(found) / len(found) if found else None


def present_load() -> float | None:
    """Share of the last second or so in which the GPU was busy; None where it does not tell."""
    if not torch.cuda.is_available():
        return None
    try:
        return torch.cuda.utilization() / 100.0
    except (ModuleNotFoundError, RuntimeError, NVMLError):
        # AMD's bindings or the driver are not there, or it is a part of a GPU, which does not tell.
        return None
