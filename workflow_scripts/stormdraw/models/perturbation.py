"""A diffusion model of perturbations: it draws states that resemble a given one.

Millard et al. (2025), DEF, arXiv 2506.07324. The model's target and its condition are the same
state, so the condition alone would determine the target. Therefore a share of the samples has no
condition, and guidance between the two controls how far a drawn state departs from the given one.
"""

import torch

from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.formulation import over_fields
from stormdraw.models.pairs import Batch

# The share of all samples without a condition, and the share of forecasts among the others.
NULL_SHARE = 0.1
FORECAST_SHARE = 0.5


class PerturbationModel(DiffusionModel):
    """Generates a state that resembles a given one, as a forecaster's initial state."""

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss at random noise levels with random noise, (B, V).

        `batch.following` are forecasts from `batch.now`, not analyses: at later lead times
        forecasts are perturbed, so the model must learn from them as well.
        """
        shape, device = (batch.full_size, *batch.now.shape[1:]), batch.now.device
        level = batch.own_part(self.formulation.draw_levels(batch.full_size, generator, device))
        noise = batch.own_part(torch.randn(shape, generator=generator, device=device))
        known, forecast = map(batch.own_part, draw_kinds(batch.full_size, generator, device))
        self.noise_levels = self.formulation.quarter(level)
        state = torch.where(over_fields(forecast), batch.following, batch.now)
        clean = self.normalization.standardise(state)
        condition = clean * over_fields(known)
        return self.denoising_losses(clean, condition, level, noise, batch.weights)

    def guided(
        self,
        noisy: torch.Tensor,
        condition: torch.Tensor,
        timestep: torch.Tensor,
        guidance: float,
    ) -> torch.Tensor:
        """The network's prediction, between that without and that with the condition.

        eps = eps_u + w (eps_c - eps_u), each (B, V, Y, X): classifier-free guidance (Ho and
        Salimans 2022, equation 6, whose w is smaller by one). At w = 0 the condition, a
        standardised state, is ignored; at w = 1 it is fully used. For a given noisy state, the
        clean state is linear in whatever a network predicts, so the mixture means the same.
        """
        if guidance == 1.0:
            return self.network(noisy, condition, timestep)
        without = self.network(noisy, torch.zeros_like(condition), timestep)
        if guidance == 0.0:
            return without
        return without + guidance * (self.network(noisy, condition, timestep) - without)


def draw_kinds(
    size: int, generator: torch.Generator | None, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which of `size` samples have a condition, and which are forecasts: two masks (B,).

    Samples without a condition are analyses, as in the authors' code.
    """
    known = torch.rand(size, generator=generator, device=device) >= NULL_SHARE
    forecast = torch.rand(size, generator=generator, device=device) < FORECAST_SHARE
    return known, known & forecast
