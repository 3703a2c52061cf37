"""Smooth Gaussian random fields that relax, drift with the wind, and are driven by noise."""

from dataclasses import dataclass

import numpy as np

from stormdraw.simulated.domain import Domain

_SECONDS_PER_HOUR = 3600.0
_HALF = np.float32(np.sqrt(0.5))


@dataclass(frozen=True)
class Latent:
    """One random field and its spectrum.

    Power falls as (1 + (k length)^2)^-slope. `deviation` is the standard deviation within the box,
    `mean_deviation` that of the box mean. Waves relax in `relaxation` hours, shorter ones faster,
    like eddies: relaxation (1 + (k length)^2)^(-0.6). `drift` is the share of the steering wind
    that advects the field. For a `potential`, the deviation is that of each component of its
    gradient.
    """

    name: str
    deviation: float
    mean_deviation: float
    length: float
    slope: float
    relaxation: float
    drift: float
    potential: bool = False


# Lengths in m, relaxation in hours. Temperature and moisture in K, the two potentials as winds in
# m/s; inhibition (a warm lid), lift and texture have no unit.
LATENTS = (
    Latent("temperature", 1.5, 1.0, 50e3, 1.6, 120.0, 0.5),
    Latent("moisture", 2.2, 1.0, 50e3, 1.6, 120.0, 0.5),
    Latent("inhibition", 1.0, 0.3, 50e3, 2.0, 120.0, 0.8),
    Latent("streamfunction", 1.6, 0.0, 40e3, 1.6, 80.0, 0.5, potential=True),
    Latent("velocity_potential", 0.8, 0.0, 25e3, 1.6, 30.0, 0.5, potential=True),
    Latent("lift", 1.0, 0.4, 35e3, 2.0, 20.0, 1.0),
    Latent("texture", 1.0, 0.0, 4e3, 2.0, 1.5, 1.0),
)

INDEX = {latent.name: index for index, latent in enumerate(LATENTS)}


class Spectra:
    """The spectra of all latent fields on a domain, and their exact step over `hours`.

    Each Fourier coefficient is a complex Ornstein-Uhlenbeck process advected by the wind c:

        dX_k = -(1/tau_k + i k.c) X_k dt + sqrt(2 / tau_k) S_k^(1/2) dW_k

    so over a step h: X_k <- e^(-h/tau_k) e^(-i k.c h) X_k + sqrt(1 - e^(-2h/tau_k)) S_k^(1/2) z.
    """

    def __init__(self, domain: Domain, hours: float) -> None:
        self.domain = domain
        self.hours = hours
        amplitude = np.stack([_amplitude(domain, latent) for latent in LATENTS])
        memory = np.exp(-hours * np.stack([_rate(domain, latent) for latent in LATENTS]))
        self.amplitude = amplitude.astype(np.float32)
        self._memory = memory.astype(np.float32)
        self._innovation = (amplitude * np.sqrt(1 - memory**2)).astype(np.float32)
        self._drift = np.array([latent.drift for latent in LATENTS])[:, None, None]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(latent, ky, kx)."""
        return self.amplitude.shape

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Coefficients (latent, ky, kx) drawn from the climate."""
        return self.amplitude * white_waves(generator, self.shape)

    def step(self, waves: np.ndarray, steering: np.ndarray, white: np.ndarray) -> np.ndarray:
        """The coefficients (latent, ky, kx) one step later, from white noise of the same shape."""
        along_y, along_x = self.shift(steering, self._drift)
        moved = self._memory * waves
        moved *= along_y
        moved *= along_x
        moved += self._innovation * white
        return moved

    def advected(self, waves: np.ndarray, wind: np.ndarray, hours: float) -> np.ndarray:
        """The coefficients (latent, ky, kx) after `hours` of a steady wind, without noise."""
        along_y, along_x = self.shift(wind, self._drift * (hours / self.hours))
        return waves * along_y * along_x

    def shift(
        self, wind: np.ndarray, drift: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Two factors, of ky and of kx, that advect a field by `drift` x `wind` for a step."""
        ky, kx = self.domain.wavenumbers
        seconds = self.hours * _SECONDS_PER_HOUR
        along_y = np.exp(-1j * seconds * wind[1] * drift * ky)
        along_x = np.exp(-1j * seconds * wind[0] * drift * kx)
        return along_y.astype(np.complex64), along_x.astype(np.complex64)


def white_waves(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Fourier coefficients (..., ky, kx) of white noise: E|z|^2 = 1, and real on the points."""
    parts = generator.standard_normal((*shape, 2), dtype=np.float32)
    parts *= _HALF
    waves = parts.view(np.complex64)[..., 0]
    # A real field has z(-ky, 0) = conj(z(ky, 0)); all other coefficients are free.
    column = waves[..., 0]
    waves[..., 0] = (column + column[..., ::-1].conj()) * _HALF
    return waves


def _amplitude(domain: Domain, latent: Latent) -> np.ndarray:
    """Square root of the power of each coefficient, (ky, kx)."""
    k = domain.wavenumber
    mean = k == 0
    power = np.where(mean, 0.0, (1 + (k * latent.length) ** 2) ** -latent.slope)
    # Only half of the plane is kept: each coefficient with kx > 0 counts twice.
    times = np.full(k.shape, 2.0)
    times[:, 0] = 1.0
    power *= latent.deviation**2 / np.sum(times * power)
    if latent.potential:
        # |grad psi|^2 = u^2 + v^2, two components of equal variance.
        power[~mean] *= 2 / k[~mean] ** 2
    power[mean] = latent.mean_deviation**2
    return np.sqrt(power)


def _rate(domain: Domain, latent: Latent) -> np.ndarray:
    """1 / tau_k in 1/h, (ky, kx)."""
    return (1 + (domain.wavenumber * latent.length) ** 2) ** 0.6 / latent.relaxation
