"""EDM, the formulation of Karras et al. (2022), arXiv:2206.00364."""

from collections.abc import Sequence

import numpy as np
import torch

from stormdraw.models.formulation import Formulation, over_fields, stratified
from stormdraw.models.noise_settings import EdmSettings

# Networks embed timesteps of up to a thousand, but c_noise only goes from -1.6 to 1.1.
_TIMES_C_NOISE = 1000.0
# Keeps training levels finite: 4.8 standard deviations of ln sigma from P_mean.
_LEAST_SHARE = 1e-6


class Edm(Formulation):
    """The column "Ours" of Table 1; symbols as there.

    A noisy state is x = y + sigma n, and D(x; sigma) = c_skip x + c_out F(c_in x; c_noise)
    estimates the clean state y (equation 7). If y has the variance sigma_data^2, then the input and
    the target of the network F have unit variance at every sigma. The loss weight lambda = 1 /
    c_out^2 of the error of D is a weight of 1 for that of F (equation 8). With tan(phi) = sigma /
    sigma_data, the target of F is sin(phi) y / sigma_data - cos(phi) n: minus the velocity v.
    """

    kind = "edm"

    def __init__(self, settings: EdmSettings) -> None:
        super().__init__()
        self.settings = settings

    @property
    def most_steps(self) -> float:
        """Any number."""
        return self.settings.most_steps

    def c_skip(self, sigma: torch.Tensor) -> torch.Tensor:
        """sigma_data^2 / (sigma^2 + sigma_data^2)."""
        return self.settings.sigma_data**2 * self.c_in(sigma).square()

    def c_out(self, sigma: torch.Tensor) -> torch.Tensor:
        """sigma sigma_data / sqrt(sigma^2 + sigma_data^2)."""
        return sigma * self.settings.sigma_data * self.c_in(sigma)

    def c_in(self, sigma: torch.Tensor) -> torch.Tensor:
        """1 / sqrt(sigma^2 + sigma_data^2)."""
        return (sigma.square() + self.settings.sigma_data**2).rsqrt()

    def c_noise(self, sigma: torch.Tensor) -> torch.Tensor:
        """ln(sigma) / 4."""
        return sigma.log() / 4.0

    def sigmas(self, steps: int) -> list[float]:
        """The levels of the sampling steps, descending, without the final 0 (equation 5)."""
        largest, smallest, rho = self.settings.sigma_max, self.settings.sigma_min, self.settings.rho
        ends = largest ** (1.0 / rho), smallest ** (1.0 / rho)
        return [float(root**rho) for root in np.linspace(*ends, steps)]

    def draw_levels(
        self, size: int, generator: torch.Generator | None, device: torch.device
    ) -> torch.Tensor:
        """sigma, whose logarithm is normal with mean P_mean and standard deviation P_std."""
        share = stratified(size, generator, device).clamp(_LEAST_SHARE, 1.0 - _LEAST_SHARE)
        return (self.settings.P_mean + self.settings.P_std * torch.special.ndtri(share)).exp()

    def quarter(self, level: torch.Tensor) -> torch.Tensor:
        """The quarter of the log-normal distribution of sigma."""
        share = torch.special.ndtr((level.log() - self.settings.P_mean) / self.settings.P_std)
        return (4.0 * share).long().clamp(max=3)

    def add_noise(
        self, clean: torch.Tensor, noise: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """x = y + sigma n."""
        return clean + over_fields(level) * noise

    def goal(self, clean: torch.Tensor, noise: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """(y - c_skip x) / c_out, without the difference of nearly equal numbers at small sigma."""
        data = self.settings.sigma_data
        sigma, c_in = over_fields(level), over_fields(self.c_in(level))
        return c_in * (sigma / data * clean - data * noise)

    def clean_from(
        self, noisy: torch.Tensor, predicted: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """D = c_skip x + c_out F."""
        c_skip, c_out = over_fields(self.c_skip(level)), over_fields(self.c_out(level))
        return c_skip * noisy + c_out * predicted

    def weight(self, level: torch.Tensor) -> torch.Tensor:
        """lambda c_out^2 = 1."""
        return torch.ones_like(level)[:, None]

    def network_input(self, noisy: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """c_in x."""
        return over_fields(self.c_in(level)) * noisy

    def network_time(self, level: torch.Tensor) -> torch.Tensor:
        """c_noise in thousandths."""
        return _TIMES_C_NOISE * self.c_noise(level)

    def noisiest(self, size: int, device: torch.device) -> torch.Tensor:
        """sigma_max."""
        return torch.full((size,), self.settings.sigma_max, device=device)

    def log_snr_range(self) -> tuple[float, float]:
        """-ln sigma of the sampling range."""
        return -np.log(self.settings.sigma_max), -np.log(self.settings.sigma_min)

    def levels_at(self, log_snr: np.ndarray) -> list[float]:
        """sigma = exp(-log(alpha / sigma)), since alpha is 1."""
        return sorted({float(sigma) for sigma in np.exp(-log_snr)})

    def noise_over_signal(self, levels: Sequence[float]) -> np.ndarray:
        """sigma itself."""
        return np.asarray(levels, dtype=np.float64)

    def coefficients(self, level: float) -> dict[str, float]:
        """Of a step, in double precision."""
        sigma = torch.tensor([level], dtype=torch.float64)
        return {
            "alpha": 1.0,
            "sigma": level,
            "c_in": float(self.c_in(sigma)),
            "c_skip": float(self.c_skip(sigma)),
            "c_out": float(self.c_out(sigma)),
            "c_noise": float(self.network_time(sigma)),
        }
