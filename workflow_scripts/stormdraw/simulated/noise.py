"""The random numbers of a run: from its own stream, or partly from a shared one."""

import functools
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from stormdraw.seeds import generator_for
from stormdraw.simulated.latents import white_waves

# Runs that share noise go through the same hours one after another; keep a day of it.
_REMEMBERED_STEPS = 64


class SharedNoise:
    """Noise that is the same for every run at a time, whatever they drew before."""

    def __init__(self, run_seed: int, label: str) -> None:
        self._run_seed = run_seed
        self._label = label
        self.white_waves = functools.lru_cache(_REMEMBERED_STEPS)(self._white_waves)

    def stream(self, time: datetime, purpose: str) -> np.random.Generator:
        """A new generator for a time and purpose."""
        return generator_for(
            self._run_seed, "simulated", self._label, purpose, f"{time:%Y%m%d%H%M}"
        )

    def _white_waves(self, time: datetime, shape: tuple[int, ...]) -> np.ndarray:
        return white_waves(self.stream(time, "waves"), shape)


class Noise:
    """The noise of one run, with a `share` (of the variance, of the storms) from `shared`."""

    def __init__(
        self, own: np.random.Generator, shared: SharedNoise | None = None, share: float = 0.0
    ) -> None:
        self.own = own
        self._shared = shared
        self._share = share

    def white_waves(self, time: datetime, shape: tuple[int, ...]) -> np.ndarray:
        """Fourier coefficients of white noise for the step that starts at `time`."""
        white = white_waves(self.own, shape)
        if self._shared is None:
            return white
        white *= np.float32(np.sqrt(1 - self._share))
        return white + np.float32(np.sqrt(self._share)) * self._shared.white_waves(time, shape)

    def steering(self, time: datetime) -> np.ndarray:
        """Two standard normal numbers."""
        normal = self.own.standard_normal(2)
        if self._shared is None:
            return normal
        common = self._shared.stream(time, "steering").standard_normal(2)
        return np.sqrt(1 - self._share) * normal + np.sqrt(self._share) * common

    def births(self, time: datetime, expected: float) -> Iterator[tuple[int, np.random.Generator]]:
        """(number of events, generator to draw them from); together they form a Poisson process."""
        if self._shared is None:
            yield int(self.own.poisson(expected)), self.own
            return
        yield int(self.own.poisson((1 - self._share) * expected)), self.own
        stream = self._shared.stream(time, "births")
        yield int(stream.poisson(self._share * expected)), stream
