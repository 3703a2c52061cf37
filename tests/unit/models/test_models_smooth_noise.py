"""Smooth noise: mean 0, variance 1 and the correlation of a triangle with itself, everywhere."""

import numpy as np
import pytest
import torch

from stormdraw.models.smooth_noise import smooth_noise
from stormdraw.models.white_noise import torch_noise


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_variance_and_correlation(scale: int) -> None:
    noise = smooth_noise(torch_noise(3000, torch.Generator().manual_seed(1)), (7, 12), scale)
    assert noise.shape == (3000, 1, 7, 12)
    field = noise[:, 0].double().numpy()
    assert abs(field.mean()) < 0.05
    # The same at edges and corners as in the middle.
    np.testing.assert_allclose(field.var(axis=0), 1.0, atol=0.15)
    box = np.ones(scale) / scale
    triangle = np.convolve(box, box)
    lags = np.correlate(triangle, triangle, mode="full")[len(triangle) - 1 :]
    expected = np.zeros(12)
    expected[: len(lags)] = lags[:12] / lags[0]
    for lag in range(1, 12):
        correlation = (field[:, :, 0] * field[:, :, lag]).mean()
        assert correlation == pytest.approx(expected[lag], abs=0.05)


def test_same_generator_same_noise() -> None:
    def draw(seed: int) -> torch.Tensor:
        return smooth_noise(torch_noise(1, torch.Generator().manual_seed(seed)), (6, 6), 4)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
