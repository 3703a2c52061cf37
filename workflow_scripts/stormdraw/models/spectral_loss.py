"""A loss of the amplitudes of members by wave band, beside that of their values at points.

Scored point by point alone, members may be too smooth or too rough at short waves: there, what a
point has is chance, and only a field as a whole shows how rough it should be. For a model of 2.5 km
MET Norway needed a CRPS in spectral space to get coherent fields (Nordhagen et al. 2025,
arXiv:2511.23043). Theirs is of every coefficient; this one is of the amplitude of bands of them.

Waves are those of the discrete cosine transform, as in the scores (`stormdraw.spectra`): a crop is
not periodic, and a Fourier transform would see a jump at its edges.
"""

import functools
import math

import numpy as np
import scipy.fft
import torch

from stormdraw.models.losses import almost_fair_crps

# The width of a band: from a wavelength to 1.4 times that.
_RATIO = math.sqrt(2.0)
# A band has at least so many modes: the amplitude of one or two waves is chance.
_FEWEST_MODES = 8
# Of variances in units of the model's target: below, there is nothing to compare.
_NOTHING = 1e-8


def spectral_crps(members: torch.Tensor, goal: torch.Tensor, alpha: float) -> torch.Tensor:
    """The almost fair CRPS of the amplitudes of wave bands, the mean over the bands, (B, V).

    `members` are (B, M, V, Y, X), `goal` is (B, V, Y, X). The amplitude of a band is the root mean
    square of its modes. So that all bands and variables count alike, it is divided by the mean
    amplitude of the batch, that of the members or of the goal, whichever is larger: at most 1, even
    where there is an echo in the one and none in the other. No gradient passes through this mean.
    """
    each, truth = amplitudes(members), amplitudes(goal)
    usual = torch.maximum(truth.mean(dim=0), each.detach().mean(dim=(0, 1)))
    return almost_fair_crps(
        (each / usual)[..., None, :], (truth / usual)[..., None, :], alpha, None
    )


def amplitudes(fields: torch.Tensor) -> torch.Tensor:
    """The root mean square of the cosine modes of each band, (..., band), of (..., Y, X)."""
    rows, columns = fields.shape[-2:]
    # Arrays are kept, not tensors: a plan of memory computes with tensors that have no values.
    along_y, along_x, bands = (
        torch.as_tensor(array, device=fields.device)
        for array in (_cosines(rows), _cosines(columns), _bands((rows, columns)))
    )
    with torch.autocast(fields.device.type, enabled=False):
        departures = fields.float() - fields.float().mean(dim=(-2, -1), keepdim=True)
        modes = along_y @ departures @ along_x.mT
        power = modes.square().flatten(-2) @ bands
    return (power + _NOTHING).sqrt()


@functools.lru_cache(maxsize=8)
def _cosines(size: int) -> np.ndarray:
    """The orthonormal transform (mode, point) of the second kind (DCT-II), float32."""
    return scipy.fft.dct(np.eye(size), axis=0, norm="ortho").astype(np.float32)


@functools.lru_cache(maxsize=4)
def _bands(shape: tuple[int, int]) -> np.ndarray:
    """What makes of modes (mode,), row by row, the mean of each band, (mode, band), float32.

    Bands begin at the shortest wave, of two points along both axes. What is longer than the last
    band of enough modes, the mean above all, is in none.
    """
    along = [np.arange(size) / size for size in shape]
    # 1 for a wave of two points along an axis (Denis et al. 2002).
    wavenumber = np.hypot(along[0][:, None], along[1]).ravel()
    bands = []
    upper = _RATIO
    while True:
        lower = upper / _RATIO
        inside = (wavenumber <= upper * (1 + 1e-9)) & (wavenumber > lower * (1 + 1e-9))
        if inside.sum() < _FEWEST_MODES:
            break
        bands.append(inside / inside.sum())
        upper = lower
    if not bands:
        raise ValueError(f"fields of {shape[0]} x {shape[1]} points have no waves to compare")
    return np.stack(bands, axis=1).astype(np.float32)
