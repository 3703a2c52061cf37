"""White noise that is the same on every device."""

import math
from collections.abc import Callable, Sequence

import torch

from stormdraw.models.philox import Words, philox

# white(shape of one sample) -> standard normal numbers, (B, *shape)
White = Callable[[tuple[int, ...]], torch.Tensor]

# Counters processed at once: what fits a processor's cache, and what keeps a GPU busy in 300 MB.
_AT_ONCE, _AT_ONCE_ON_GPU = 2**14, 2**22


class WhiteNoise:
    """Standard normal numbers for B samples, each with its own stream.

    A number depends on the seed of its stream, on the number of earlier draws, and on the shape of
    a draw, but not on the other streams. Devices agree to rounding, 1e-6: their random words are
    equal (`philox`), their logarithms and cosines nearly so.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        """Seeds have up to 64 bits."""
        words = torch.tensor([[seed & 0xFFFFFFFF, seed >> 32] for seed in seeds])
        self._key = words.to(device)[:, :, None]
        self._draws = 0

    def __len__(self) -> int:
        return len(self._key)

    def __call__(self, shape: tuple[int, ...]) -> torch.Tensor:
        """The next draw, float32 (B, *shape)."""
        streams, count = len(self), math.prod(shape)
        blocks = -(-count // 4)
        drawn = torch.empty((streams, 2, 2, blocks), device=self._key.device)
        at_once = _AT_ONCE if self._key.device.type == "cpu" else _AT_ONCE_ON_GPU
        step = max(1, at_once // streams)
        for first in range(0, blocks, step):
            part = slice(first, min(first + step, blocks))
            for index, word in enumerate(self._words(part)):
                drawn[:, index // 2, index % 2, part] = word
        _make_normal(drawn[:, 0], drawn[:, 1])
        self._draws += 1
        return drawn.flatten(1)[:, :count].reshape(streams, *shape)

    def _words(self, part: slice) -> Words:
        """Four random words for each of these blocks of the next draw, (B, n)."""
        place = torch.arange(part.start, part.stop, device=self._key.device)
        nothing = torch.zeros_like(place)
        counter = (place, torch.full_like(place, self._draws), nothing, nothing)
        return philox(counter, (self._key[:, 0], self._key[:, 1]))


def amplified(white: White, amplitude: Sequence[float], device: torch.device) -> White:
    """Noise of the standard deviation `amplitude`, one for all channels or one for each.

    An amplitude of 1 leaves every bit as it is.
    """
    factor = torch.tensor(amplitude, dtype=torch.float32, device=device)[:, None, None]

    def draw(shape: tuple[int, ...]) -> torch.Tensor:
        return factor * white(shape)

    return draw


def torch_noise(
    count: int, generator: torch.Generator | None, device: torch.device | None = None
) -> White:
    """`count` samples at a time from a torch generator, which lives on the device."""

    def draw(shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn((count, *shape), generator=generator, device=device)

    return draw


def _make_normal(first: torch.Tensor, second: torch.Tensor) -> None:
    """Turn two random words into two independent normal numbers, in place (Box and Muller 1958)."""
    # Between 0 and 1 but never 0, whose logarithm is infinite.
    radius = first.add_(0.5).mul_(2.0**-32).log_().mul_(-2.0).sqrt_()
    angle = second.mul_(2.0 * math.pi * 2.0**-32)
    cosine = angle.cos()
    torch.mul(radius, angle.sin_(), out=second)
    radius.mul_(cosine)
