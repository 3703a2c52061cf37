"""How busy the GPU is."""

import time

import torch
from pynvml import NVMLError

_SECONDS_BETWEEN_SAMPLES = 1.0


class GpuLoad:
    """The mean share of time in which the GPU was busy, sampled at most once a second.

    One sample covers the last second or less, so a single one says little about an epoch.
    """

    def __init__(self) -> None:
        self._looked = -float("inf")
        self._found: list[float] = []

    def sample(self) -> None:
        """Take a sample, unless one was taken within the last second."""
        if time.monotonic() - self._looked < _SECONDS_BETWEEN_SAMPLES:
            return
        self._looked = time.monotonic()
        share = current_load()
        if share is not None:
            self._found.append(share)

    def take_mean(self) -> float | None:
        """The mean since the last call; None if the GPU reports nothing."""
        found, self._found = self._found, []
        return sum(found) / len(found) if found else None


def current_load() -> float | None:
    """The share of the last second or so in which the GPU was busy; None if not reported."""
    if not torch.cuda.is_available():
        return None
    try:
        return torch.cuda.utilization() / 100.0
    except (ModuleNotFoundError, RuntimeError, NVMLError):
        # AMD's bindings or the driver are missing, or the device is a GPU partition, which reports
        # no load.
        return None
