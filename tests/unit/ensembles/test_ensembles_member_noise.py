"""Noise that persists: an autoregression of first order, by its known moments."""

import pytest
import torch

from stormdraw.ensembles.member_noise import PersistentNoise


def series(rho: float, hours: int = 6, points: int = 100_000) -> torch.Tensor:
    """(hour, point)"""
    generator = torch.Generator().manual_seed(4)
    correlate = PersistentNoise(rho)
    return torch.stack(
        [correlate(torch.randn((1, 1, points), generator=generator))[0, 0] for _ in range(hours)]
    )


# 100,000 points: the sampling error of a variance is 0.0045, that of a correlation 0.0032.
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 1.0])
def test_unit_variance_and_autocorrelation_at_every_hour(rho: float) -> None:
    noise = series(rho)
    torch.testing.assert_close(noise.var(dim=1), torch.ones(6), atol=0.02, rtol=0)
    correlation = torch.corrcoef(noise)
    apart = torch.arange(6)
    expected = torch.tensor(rho) ** (apart[:, None] - apart[None, :]).abs()
    torch.testing.assert_close(correlation, expected, atol=0.015, rtol=0)


def test_no_persistence_leaves_the_noise_as_it_is() -> None:
    fresh = torch.randn((2, 3, 4, 5))
    correlate = PersistentNoise(0.0)
    assert correlate(fresh) is fresh
    assert correlate(fresh + 1).equal(fresh + 1)


def test_two_hours_by_hand() -> None:
    correlate = PersistentNoise(0.6)
    assert correlate(torch.tensor([1.0])).tolist() == [1.0]
    assert correlate(torch.tensor([2.0])).item() == pytest.approx(0.6 * 1.0 + 0.8 * 2.0)


def test_several_draws_an_hour_each_resemble_their_own() -> None:
    correlate = PersistentNoise(0.6, draws=2)
    assert correlate(torch.tensor([1.0])).tolist() == [1.0]
    assert correlate(torch.tensor([5.0])).tolist() == [5.0]
    assert correlate(torch.tensor([2.0])).item() == pytest.approx(0.6 * 1.0 + 0.8 * 2.0)
    assert correlate(torch.tensor([3.0])).item() == pytest.approx(0.6 * 5.0 + 0.8 * 3.0)
    assert correlate(torch.tensor([0.0])).item() == pytest.approx(0.6 * 2.2)
