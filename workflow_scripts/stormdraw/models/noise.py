"""The noise schedule, and the conversions between a noisy state, its noise and the clean state.

Symbols as in the papers: a noisy state is x_t = alpha_t x_0 + sigma_t eps, with alpha_t^2 =
alpha_bar_t and sigma_t^2 = 1 - alpha_bar_t (Ho et al. 2020, equation 4).
"""

import math
from typing import Literal

import numpy as np
import torch
from torch import nn


def cosine_betas(timesteps: int, largest_beta: float) -> np.ndarray:
    """The cosine schedule of Nichol and Dhariwal (2021), equation 17, float64 (timesteps,).

    `largest_beta` limits how much one step destroys. At 0.999 the last timestep is practically pure
    noise (alpha_bar 2e-9); at 0.02 it still has 6 % of the clean state's amplitude.
    """

    def alpha_bar(fraction: float) -> float:
        return math.cos((fraction + 0.008) / 1.008 * math.pi / 2) ** 2

    edges = np.array([alpha_bar(step / timesteps) for step in range(timesteps + 1)])
    return np.minimum(1.0 - edges[1:] / edges[:-1], largest_beta)


class NoiseSchedule(nn.Module):
    """alpha_t and sigma_t at each timestep, as buffers that move between devices."""

    alpha: torch.Tensor
    sigma: torch.Tensor

    def __init__(self, betas: np.ndarray) -> None:
        super().__init__()
        self.betas = betas
        alpha_bar = np.cumprod(1.0 - betas)
        # 1 - alpha_bar is small at the start, so its square root is taken in double precision.
        self.register_buffer("alpha", _single(np.sqrt(alpha_bar)), persistent=False)
        self.register_buffer("sigma", _single(np.sqrt(1.0 - alpha_bar)), persistent=False)

    @property
    def timesteps(self) -> int:
        """The number of timesteps."""
        return len(self.betas)

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

    def goal(
        self,
        prediction: Literal["noise", "v"],
        clean: torch.Tensor,
        noise: torch.Tensor,
        timestep: torch.Tensor,
    ) -> torch.Tensor:
        """The target of a network with this prediction, (B, V, Y, X)."""
        return noise if prediction == "noise" else self.velocity(clean, noise, timestep)

    def clean_from(
        self,
        prediction: Literal["noise", "v"],
        noisy: torch.Tensor,
        predicted: torch.Tensor,
        timestep: torch.Tensor,
    ) -> torch.Tensor:
        """The clean state implied by a network's prediction for a noisy state, (B, V, Y, X)."""
        if prediction == "noise":
            return self.clean_from_noise(noisy, predicted, timestep)
        return self.clean_from_velocity(noisy, predicted, timestep)

    def _at(self, timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """alpha and sigma, each (B, 1, 1, 1)."""
        return (
            self.alpha[timestep][:, None, None, None],
            self.sigma[timestep][:, None, None, None],
        )


def _single(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(values.astype(np.float32))
