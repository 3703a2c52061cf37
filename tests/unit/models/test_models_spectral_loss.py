"""The loss of amplitudes by wave band: transform, bands, and what it asks for."""

import math

import numpy as np
import pytest
import scipy.fft
import torch

from stormdraw.models.spectral_loss import amplitudes, spectral_crps


def waves(wavelength: float, shape: tuple[int, int] = (64, 48)) -> torch.Tensor:
    """Cosines along x (y, x) of that wavelength in points, root mean square 1."""
    points = torch.arange(shape[1]) + 0.5
    return (math.sqrt(2.0) * torch.cos(2 * math.pi * points / wavelength)).expand(shape)


def test_amplitudes_are_those_of_the_cosine_transform() -> None:
    field = np.random.default_rng(1).normal(size=(40, 33))
    modes = scipy.fft.dctn(field - field.mean(), norm="ortho")
    wavenumber = np.hypot(np.arange(40)[:, None] / 40, np.arange(33) / 33)
    found = amplitudes(torch.tensor(field))
    upper = math.sqrt(2.0)
    for band, amplitude in enumerate(found.tolist()):
        inside = (wavenumber <= upper * (1 + 1e-9)) & (wavenumber > upper / 2**0.5 * (1 + 1e-9))
        assert amplitude == pytest.approx(math.sqrt((modes[inside] ** 2).mean()), rel=1e-4)
        upper /= 2**0.5
        assert band < 10
    # Down to bands of eight modes or more.
    assert len(found) >= 6


@pytest.mark.parametrize(("wavelength", "band"), [(2.4, 1), (3.0, 2), (4.0, 3), (6.0, 4), (8.0, 5)])
def test_a_wave_is_in_the_band_of_its_length(wavelength: float, band: int) -> None:
    """Band k has wavelengths of 2 points and more times 2^((k - 1) / 2); diagonals are below."""
    found = amplitudes(waves(wavelength))
    assert found.argmax().item() == band
    assert (found[[k for k in range(len(found)) if k != band]] < 0.01 * found[band]).all()


def test_white_noise_has_the_same_amplitude_in_every_band() -> None:
    noise = 3.0 * torch.randn(200, 32, 32, generator=torch.Generator().manual_seed(1))
    found = amplitudes(noise).square().mean(dim=0).sqrt()
    torch.testing.assert_close(found, torch.full_like(found, 3.0), rtol=0.07, atol=0)


def test_a_constant_does_not_count() -> None:
    field = torch.randn(16, 16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(amplitudes(field + 290.0), amplitudes(field), rtol=1e-3, atol=1e-4)


def smooth(noise: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(noise, width, stride=1, padding=width // 2)


def test_members_as_rough_as_the_truth_have_the_lowest_loss() -> None:
    """Also where they differ from it at every point, as members do."""
    random = torch.Generator().manual_seed(3)
    drawn = torch.randn(2 * 4 * 40, 1, 32, 32, generator=random)
    truth = smooth(drawn, 3)[:40].unflatten(0, (40,))

    def loss(width: int, factor: float = 1.0) -> float:
        members = factor * smooth(drawn, width)[40:160].unflatten(0, (40, 3))
        return float(spectral_crps(members, truth, 0.95).mean())

    right = loss(3)
    assert right < 0.5 * min(loss(1), loss(5), loss(3, 0.5), loss(3, 2.0))


def test_the_loss_is_bounded_where_there_is_nothing() -> None:
    echo = torch.randn(1, 2, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    none = torch.zeros(1, 1, 16, 16)
    assert 0.5 < spectral_crps(100.0 * echo, none, 1.0).item() <= 1.0
    assert spectral_crps(0.0 * echo, none, 1.0).item() == pytest.approx(0.0, abs=1e-6)


def test_gradients_are_finite_where_there_is_nothing() -> None:
    members = torch.zeros(1, 2, 1, 16, 16, requires_grad=True)
    spectral_crps(members, torch.zeros(1, 1, 16, 16), 0.95).sum().backward()
    assert members.grad is not None
    assert torch.isfinite(members.grad).all()


def test_fields_without_waves_are_refused() -> None:
    with pytest.raises(ValueError, match="2 x 2 points have no waves"):
        amplitudes(torch.zeros(2, 2))
