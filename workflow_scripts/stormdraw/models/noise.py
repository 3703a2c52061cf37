"""The cosine schedule, and the conversions between a noisy state, its noise and the clean state.

Symbols as in the papers: a noisy state is x_t = alpha_t x_0 + sigma_t eps, with alpha_t^2 =
alpha_bar_t and sigma_t^2 = 1 - alpha_bar_t (Ho et al. 2020, equation 4).
"""

import math
from collections.abc import Sequence

import numpy as np
import torch

from stormdraw.models.formulation import Formulation, stratified
from stormdraw.models.losses import min_snr_weight
from stormdraw.models.noise_settings import DiffusionPrediction


def cosine_betas(timesteps: int, largest_beta: float) -> np.ndarray:
    """The cosine schedule of Nichol and Dhariwal (2021), equation 17, float64 (timesteps,).

    `largest_beta` limits how much one step destroys. At 0.999 the last timestep is practically pure
    noise (alpha_bar 2e-9); at 0.02 it still has 6 % of the clean state's amplitude.
    """

    def alpha_bar(fraction: float) -> float:
        return math.cos((fraction + 0.008) / 1.008 * math.pi / 2) ** 2

    edges = np.array([alpha_bar(step / timesteps) for step in range(timesteps + 1)])
    return np.minimum(1.0 - edges[1:] / edges[:-1], largest_beta)


class NoiseSchedule(Formulation):
    """alpha_t and sigma_t at each timestep, as buffers that move between devices.

    Noise levels are timesteps, which are uniformly distributed in training. With
    `min_snr_gamma`, their losses have the min-SNR weight.
    """

    kind = "cosine"
    alpha: torch.Tensor
    sigma: torch.Tensor

    def __init__(
        self,
        betas: np.ndarray,
        prediction: DiffusionPrediction = "v",
        min_snr_gamma: float | None = None,
    ) -> None:
        super().__init__()
        self.betas = betas
        self.prediction = prediction
        self.min_snr_gamma = min_snr_gamma
        alpha_bar = np.cumprod(1.0 - betas)
        # 1 - alpha_bar is small at the start, so its square root is taken in double precision.
        self.register_buffer("alpha", _single(np.sqrt(alpha_bar)), persistent=False)
        self.register_buffer("sigma", _single(np.sqrt(1.0 - alpha_bar)), persistent=False)

    @property
    def timesteps(self) -> int:
        """The number of timesteps."""
        return len(self.betas)

    @property
    def most_steps(self) -> float:
        """As many as there are timesteps."""
        return self.timesteps

    def log_snr(self) -> np.ndarray:
        """log(alpha_t / sigma_t), half the logarithm of the signal-to-noise ratio, (timesteps,)."""
        alpha_bar = np.cumprod(1.0 - self.betas)
        return 0.5 * (np.log(alpha_bar) - np.log1p(-alpha_bar))

    def add_noise(
        self, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """x_t from x_0 and eps, each (B, V, Y, X); timestep (B,)."""
        alpha, sigma = self._at(timestep)
        return alpha * clean + sigma * noise

    def velocity(
        self, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """v = alpha eps - sigma x_0 (Salimans and Ho 2022, appendix D), (B, V, Y, X)."""
        alpha, sigma = self._at(timestep)
        return alpha * noise - sigma * clean

    def clean_from_noise(
        self, noisy: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """x_0 = (x_t - sigma eps) / alpha; an error in eps grows by sigma / alpha."""
        alpha, sigma = self._at(timestep)
        return (noisy - sigma * noise) / alpha

    def clean_from_velocity(
        self, noisy: torch.Tensor, velocity: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """x_0 = alpha x_t - sigma v; well posed at any noise level."""
        alpha, sigma = self._at(timestep)
        return alpha * noisy - sigma * velocity

    def noise_from_velocity(
        self, noisy: torch.Tensor, velocity: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """eps = sigma x_t + alpha v."""
        alpha, sigma = self._at(timestep)
        return sigma * noisy + alpha * velocity

    def goal(self, clean: torch.Tensor, noise: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """The noise or the velocity, (B, V, Y, X)."""
        return noise if self.prediction == "noise" else self.velocity(clean, noise, level)

    def clean_from(
        self, noisy: torch.Tensor, predicted: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The clean state implied by a network's prediction for a noisy state, (B, V, Y, X)."""
        if self.prediction == "noise":
            return self.clean_from_noise(noisy, predicted, level)
        return self.clean_from_velocity(noisy, predicted, level)

    def draw_levels(
        self, size: int, generator: torch.Generator | None, device: torch.device
    ) -> torch.Tensor:
        """Uniformly distributed timesteps."""
        fraction = stratified(size, generator, device)
        return (fraction * self.timesteps).long().clamp(max=self.timesteps - 1)

    def quarter(self, level: torch.Tensor) -> torch.Tensor:
        """The quarter of the timesteps."""
        return level * 4 // self.timesteps

    def weight(self, level: torch.Tensor) -> torch.Tensor:
        """1, or the min-SNR weight."""
        alpha, sigma = self.alpha[level, None], self.sigma[level, None]
        if self.min_snr_gamma is None:
            return torch.ones_like(alpha)
        return min_snr_weight(self.prediction, alpha, sigma, self.min_snr_gamma)

    def noisiest(self, size: int, device: torch.device) -> torch.Tensor:
        """The last timestep."""
        return torch.full((size,), self.timesteps - 1, device=device)

    def log_snr_range(self) -> tuple[float, float]:
        """Of the last timestep and of the first one."""
        log_snr = self.log_snr()
        return float(log_snr[-1]), float(log_snr[0])

    def levels_at(self, log_snr: np.ndarray) -> list[float]:
        """The nearest timesteps."""
        own = self.log_snr()
        return sorted({int(np.abs(own - goal).argmin()) for goal in log_snr})

    def noise_over_signal(self, levels: Sequence[float]) -> np.ndarray:
        """Of timesteps."""
        return np.exp(-self.log_snr()[[int(timestep) for timestep in levels]])

    def coefficients(self, level: float) -> dict[str, float]:
        """Of a timestep, in double precision."""
        alpha_bar = float(np.cumprod(1.0 - self.betas)[int(level)])
        alpha, sigma = math.sqrt(alpha_bar), math.sqrt(1.0 - alpha_bar)
        by_noise = self.prediction == "noise"
        return {
            "alpha": alpha,
            "sigma": sigma,
            "c_in": 1.0,
            "c_skip": 1.0 / alpha if by_noise else alpha,
            "c_out": -sigma / alpha if by_noise else -sigma,
            "c_noise": int(level),
        }

    def _at(self, timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """alpha and sigma, each (B, 1, 1, 1)."""
        return (
            self.alpha[timestep][:, None, None, None],
            self.sigma[timestep][:, None, None, None],
        )


def _single(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(values.astype(np.float32))
