"""The path of one sample from noise to weather."""

import numpy as np
import torch

from stormdraw.models.diffusion import DiffusionModel

# The sample itself, without noise.
NO_TIMESTEP = -1


class SamplingPath:
    """Watches a sampler: the first member at each step, and the state estimated from it.

    `now` is the physical state at the start, (B, V, Y, X).
    """

    def __init__(self, model: DiffusionModel, now: torch.Tensor) -> None:
        self._model = model
        self._now = now[:1]
        self.timesteps: list[int] = []
        self._noisy: list[torch.Tensor] = []
        self._estimates: list[torch.Tensor] = []

    def watch(self, timestep: int, noisy: torch.Tensor, predicted: torch.Tensor) -> None:
        """Record a step: a noisy state and the network's prediction, each (B, V, Y, X)."""
        schedule, prediction = self._model.schedule, self._model.prediction
        at = torch.full((1,), timestep, device=noisy.device)
        self._add(timestep, noisy, schedule.clean_from(prediction, noisy[:1], predicted[:1], at))

    def end(self, sample: torch.Tensor) -> None:
        """The final sample, (B, V, Y, X), in target space."""
        self._add(NO_TIMESTEP, sample, sample[:1])

    def _add(self, timestep: int, noisy: torch.Tensor, clean: torch.Tensor) -> None:
        self.timesteps.append(timestep)
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
        alpha, sigma = (
            part.double().cpu().numpy()
            for part in (self._model.schedule.alpha, self._model.schedule.sigma)
        )
        return np.array([sigma[t] / alpha[t] if t != NO_TIMESTEP else 0.0 for t in self.timesteps])
