"""A diffusion model of the next hour: network, formulation and normalisation."""

import torch

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.formulations import make_formulation
from stormdraw.models.losses import squared_error
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles

# Quarters of the noise levels of training.
NOISE_LEVELS = ("nearly_clean", "light", "heavy", "nearly_noise")


class DiffusionModel(Forecaster):
    """Generates the next state by removing noise step by step."""

    def __init__(self, settings: ModelSettings, statistics: Statistics, roles: Roles) -> None:
        super().__init__(settings, statistics, roles)
        self.formulation = make_formulation(settings)

    def losses(
        self,
        now: torch.Tensor,
        following: torch.Tensor,
        forcings: torch.Tensor,
        level: torch.Tensor,
        noise: torch.Tensor,
        before: torch.Tensor | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean squared error of the prediction for each sample and variable, (B, V).

        `now` and `following` are physical states one hour apart and `noise` is white, of the shape
        of the latter, each (B, V, Y, X); `forcings` are (B, F, Y, X), the noise `level` (B,) and
        `weights`, of the points, (B, Y, X). With no weights the mean of the result is the simple
        loss of Ho et al. (2020), equation 14, or that of Karras et al. (2022), equation 8.
        """
        clean = self.normalization.encode(now, following)
        condition = self.condition(now, forcings, before)
        return self.denoising_losses(clean, condition, level, noise, weights)

    def denoising_losses(
        self,
        clean: torch.Tensor,
        condition: torch.Tensor,
        level: torch.Tensor,
        noise: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The same for a clean target and noise (B, V, Y, X), and a condition (B, C, Y, X)."""
        losses = self.errors(clean, condition, level, noise, weights)
        return losses * self.weights_of_variables * self.formulation.weight(level)

    def errors(
        self,
        clean: torch.Tensor,
        condition: torch.Tensor,
        level: torch.Tensor,
        noise: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean squared error of the network's prediction over the points, (B, V)."""
        noisy = self.formulation.add_noise(clean, noise, level)
        goal = self.formulation.goal(clean, noise, level)
        return squared_error(self.predict(noisy, condition, level), goal, weights)

    def predict(
        self, noisy: torch.Tensor, condition: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The network's output for noisy states of these noise levels (B,), (B, V, Y, X)."""
        given = self.formulation.network_input(noisy, level)
        predicted: torch.Tensor = self.network(
            given, condition, self.formulation.network_time(level)
        )
        return predicted

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss at random noise levels with random noise, (B, V)."""
        shape, device = (batch.full_size, *batch.following.shape[1:]), batch.now.device
        level = batch.own_part(self.formulation.draw_levels(batch.full_size, generator, device))
        noise = batch.own_part(torch.randn(shape, generator=generator, device=device))
        self.noise_levels = self.formulation.quarter(level)
        return self.losses(
            *(batch.now, batch.following, batch.forcings, level, noise),
            before=batch.before,
            weights=batch.weights,
        )

    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The network's output for a noisy state, (B, V, Y, X)."""
        level = self.formulation.noisiest(len(now), now.device)
        noisy = now.new_empty(len(now), len(self.variables), *now.shape[2:])
        return self.predict(noisy, self.condition(now, forcings, before), level)
