"""The variance of a field at each scale."""

import functools

import numpy as np
import scipy.fft


@functools.lru_cache(maxsize=1)
def wavenumber_bands(shape: tuple[int, int]) -> tuple[np.ndarray, int]:
    """The band of each cosine mode (y, x), and the number of bands.

    Mode (i, j) has the normalised wavenumber alpha = sqrt(i**2 / Ny**2 + j**2 / Nx**2), which is 1
    for the grid's shortest wave of two points; band k holds k <= alpha N < k + 1 with N = min(Ny,
    Nx) (Denis et al. 2002, doi:10.1175/1520-0493(2002)130<1812:SDOTDA>2.0.CO;2, section 3). Every
    mode is in a band, so that a spectrum adds up to the field's variance.
    """
    rows, columns = (np.arange(size) / size for size in shape)
    alpha = np.hypot(rows[:, None], columns[None, :])
    # Rounding must not move a mode at the edge of a band.
    bands = np.floor(alpha * min(shape) + 1e-9).astype(np.int64)
    bands.flags.writeable = False  # It is kept for the next field.
    return bands, int(bands.max()) + 1


def wavelengths(shape: tuple[int, int], spacing: float) -> np.ndarray:
    """The wavelength in the middle of each band, in units of the grid's `spacing`."""
    _, count = wavenumber_bands(shape)
    return 2.0 * spacing * min(shape) / (np.arange(count) + 0.5)


def variance_spectrum(
    field: np.ndarray, threads: int = 1, valid: np.ndarray | None = None
) -> np.ndarray:
    """Variance in each band, (wavenumber,), of a field (y, x).

    It uses the discrete cosine transform, which mirrors the field at its edges: the domain is not
    periodic, and a Fourier transform would see a jump. Points that are not `valid` (y, x) have the
    mean of the others, so that a spectrum still adds up to the variance of the valid points. What
    the edges of such a gap cut adds short waves: compare only fields with the same gaps.
    """
    bands, count = wavenumber_bands(field.shape)
    # The mean is removed first: temperatures in kelvins would lose digits in single precision.
    if valid is None:
        departures = (field - field.mean(dtype=np.float64)).astype(np.float32)
        points = field.size
    else:
        mean = field.mean(dtype=np.float64, where=valid)
        departures = np.where(valid, field - mean, 0.0).astype(np.float32)
        points = int(valid.sum())
    modes = scipy.fft.dctn(departures, norm="ortho", workers=threads).astype(np.float64)
    power = modes**2 / points
    power[0, 0] = 0.0
    return np.bincount(bands.ravel(), power.ravel(), count)
