"""What formulations of diffusion have in common: the rows of Table 1 of Karras et al. (2022).

A formulation says how noise is added, what the network is given and asked for, and how its error is
weighted. `ensembles/samplers.py` says along which path members are drawn.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn


class Formulation(nn.Module, ABC):
    """Converts between clean states, noisy states and what a network predicts.

    States are (B, V, Y, X). `level` (B,) is the noise level of each sample: a timestep, or a
    standard deviation. A noisy state is alpha times the clean state plus sigma times the noise.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def most_steps(self) -> float:
        """The largest number of sampling steps."""

    @abstractmethod
    def draw_levels(
        self, size: int, generator: torch.Generator | None, device: torch.device
    ) -> torch.Tensor:
        """The noise levels of a training batch, (B,), one in each of `size` equally likely parts.

        Each level alone has the distribution of the formulation, and the loss of a batch varies
        less: Kingma et al. (2021), appendix I.
        """

    @abstractmethod
    def quarter(self, level: torch.Tensor) -> torch.Tensor:
        """The quarter of the training's levels, 0 (clean) to 3, of each level."""

    @abstractmethod
    def add_noise(
        self, clean: torch.Tensor, noise: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The noisy states."""

    @abstractmethod
    def goal(self, clean: torch.Tensor, noise: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """The target of the network."""

    @abstractmethod
    def clean_from(
        self, noisy: torch.Tensor, predicted: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The clean states implied by a network's prediction for noisy states."""

    @abstractmethod
    def weight(self, level: torch.Tensor) -> torch.Tensor:
        """The weight of the squared error of the network's prediction, (B, 1)."""

    def network_input(self, noisy: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """The noisy states as the network is given them."""
        return noisy

    def network_time(self, level: torch.Tensor) -> torch.Tensor:
        """The noise level as the network is given it, (B,)."""
        return level

    @abstractmethod
    def noisiest(self, size: int, device: torch.device) -> torch.Tensor:
        """The level at which drawing starts, (B,)."""

    @abstractmethod
    def log_snr_range(self) -> tuple[float, float]:
        """log(alpha / sigma) of the noisiest and of the cleanest level."""

    @abstractmethod
    def levels_at(self, log_snr: np.ndarray) -> list[float]:
        """The levels nearest to these log(alpha / sigma), each once, from clean to noisy."""

    @abstractmethod
    def noise_over_signal(self, levels: Sequence[float]) -> np.ndarray:
        """sigma / alpha at these levels, float64."""

    @abstractmethod
    def coefficients(self, level: float) -> dict[str, float]:
        """alpha and sigma, and the c of D = c_skip x + c_out F(c_in x, c_noise), at one level.

        F is the network, x the noisy state and D the clean one (Karras et al. 2022, equation 7).
        """


def stratified(size: int, generator: torch.Generator | None, device: torch.device) -> torch.Tensor:
    """Uniform numbers in [0, 1), (size,), one in each of `size` equal parts."""
    offset = torch.rand(1, generator=generator, device=device)
    return (offset + torch.arange(size, device=device) / size) % 1.0


def over_fields(of_samples: torch.Tensor) -> torch.Tensor:
    """(B,) -> (B, 1, 1, 1)."""
    return of_samples[:, None, None, None]
