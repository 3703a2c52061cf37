"""The path of one sample from noise to weather."""

import numpy as np
import torch

from stormdraw.models.diffusion import DiffusionModel


class SamplingPath:
    """Watches a sampler: the first member at each step, and the state estimated from it.

    `now` is the physical state at the start, (B, V, Y, X).
    """

    def __init__(self, model: DiffusionModel, now: torch.Tensor) -> None:
        self._model = model
        self._now = now[:1]
        self._ratios: list[float] = []
        self._noisy: list[torch.Tensor] = []
        self._estimates: list[torch.Tensor] = []

    def watch(self, level: float, noisy: torch.Tensor, predicted: torch.Tensor) -> None:
        """Record a step: a noisy state and the network's prediction, each (B, V, Y, X)."""
        formulation = self._model.formulation
        (ratio,) = formulation.noise_over_signal([level])
        at = torch.full((1,), level, device=noisy.device)
        self._add(ratio, noisy, formulation.clean_from(noisy[:1], predicted[:1], at))

    def end(self, sample: torch.Tensor) -> None:
        """The final sample, (B, V, Y, X), in target space."""
        self._add(0.0, sample, sample[:1])

    def _add(self, ratio: float, noisy: torch.Tensor, clean: torch.Tensor) -> None:
        self._ratios.append(ratio)
        self._noisy.append(noisy[0].cpu())
        self._estimates.append(self._model.normalization.decode(self._now, clean)[0].cpu())

    def noisy(self) -> np.ndarray:
        """The noisy states in target space, (rung, variable, y, x)."""
        return torch.stack(self._noisy).numpy()

    def estimates(self) -> np.ndarray:
        """The physical states estimated from them, (rung, variable, y, x)."""
        return torch.stack(self._estimates).numpy()

    def noise_over_signal(self) -> np.ndarray:
        """sigma / alpha at each rung; 0 for the sample."""
        return np.array(self._ratios)
