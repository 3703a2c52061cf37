"""Gaussian noise that is smooth in space."""

import torch
from torch.nn import functional

from stormdraw.models.white_noise import White


def smooth_noise(white: White, shape: tuple[int, int], scale: int) -> torch.Tensor:
    """`white` noise averaged twice over boxes of `scale` by `scale` points, (B, 1, Y, X).

    It has mean 0 and variance 1 everywhere, including edges. Its correlation vanishes within 2
    `scale` points. A scale of 1 leaves it white.
    """
    margin = 2 * (scale - 1)
    rows, columns = (side + margin for side in shape)
    noise = white((1, rows, columns))
    if scale == 1:
        return noise
    for _ in range(2):
        for kernel in ((scale, 1), (1, scale)):
            noise = functional.avg_pool2d(noise, kernel, stride=1)
    return noise / _std_of_twofold_mean(scale) ** 2


def _std_of_twofold_mean(scale: int) -> float:
    """Standard deviation of unit white noise averaged twice over `scale` points of a line.

    The weights form a triangle: 1, 2, ... scale, ... 2, 1 over scale squared.
    """
    rising = sum(k**2 for k in range(1, scale))
    return float((2 * rising + scale**2) ** 0.5 / scale**2)
