"""A diffusion model of the next hour: network, noise schedule and normalisation."""

import torch

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.losses import min_snr_weight, squared_error
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import DiffusionPrediction, ModelSettings
from stormdraw.roles import Roles

# Quarters of the timesteps.
NOISE_LEVELS = ("nearly_clean", "light", "heavy", "nearly_noise")


class DiffusionModel(Forecaster):
    """Generates the next state by removing noise step by step."""

    def __init__(self, settings: ModelSettings, statistics: Statistics, roles: Roles) -> None:
        super().__init__(settings, statistics, roles)
        self.prediction: DiffusionPrediction = "noise" if settings.prediction == "noise" else "v"
        schedule = settings.noise_schedule
        self.schedule = NoiseSchedule(cosine_betas(schedule.timesteps, schedule.largest_beta))

    def noise_level(self, timestep: torch.Tensor) -> torch.Tensor:
        """The quarter of the timesteps, 0 to 3, of each timestep (B,)."""
        return timestep * len(NOISE_LEVELS) // self.schedule.timesteps

    def losses(
        self,
        now: torch.Tensor,
        following: torch.Tensor,
        forcings: torch.Tensor,
        timestep: torch.Tensor,
        noise: torch.Tensor,
        before: torch.Tensor | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mean squared error of the prediction for each sample and variable, (B, V).

        `now` and `following` are physical states one hour apart and `noise` is white, of the shape
        of the latter, each (B, V, Y, X); `forcings` are (B, F, Y, X), `timestep` (B,) and
        `weights`, of the points,
        (B, Y, X). With no weights the mean of the result is the simple loss of Ho et al. (2020),
        equation 14.
        """
        clean = self.normalization.encode(now, following)
        condition = self.condition(now, forcings, before)
        return self.denoising_losses(clean, condition, timestep, noise, weights)

    def denoising_losses(
        self,
        clean: torch.Tensor,
        condition: torch.Tensor,
        timestep: torch.Tensor,
        noise: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The same for a clean target and noise (B, V, Y, X), and a condition (B, C, Y, X)."""
        noisy = self.schedule.add_noise(clean, noise, timestep)
        goal = self.schedule.goal(self.prediction, clean, noise, timestep)
        losses = squared_error(self.network(noisy, condition, timestep), goal, weights)
        return losses * self.weights_of_variables * self.weight_of(timestep)

    def weight_of(self, timestep: torch.Tensor) -> torch.Tensor:
        """The weight of a timestep's loss, (B, 1)."""
        gamma = self.settings.loss.min_snr_gamma
        alpha, sigma = self.schedule.alpha[timestep, None], self.schedule.sigma[timestep, None]
        if gamma is None:
            return torch.ones_like(alpha)
        return min_snr_weight(self.prediction, alpha, sigma, gamma)

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss at random timesteps with random noise, (B, V)."""
        shape, device = (batch.full_size, *batch.following.shape[1:]), batch.now.device
        timestep = batch.own_part(self.draw_timesteps(batch.full_size, generator, device))
        noise = batch.own_part(torch.randn(shape, generator=generator, device=device))
        self.noise_levels = self.noise_level(timestep)
        return self.losses(
            *(batch.now, batch.following, batch.forcings, timestep, noise),
            before=batch.before,
            weights=batch.weights,
        )

    def draw_timesteps(
        self, size: int, generator: torch.Generator | None, device: torch.device
    ) -> torch.Tensor:
        """One random timestep in each of `size` equal parts, (B,).

        Each timestep is uniformly distributed, and the loss of a batch varies less: Kingma et al.
        (2021), appendix I.
        """
        offset = torch.rand(1, generator=generator, device=device)
        fraction = (offset + torch.arange(size, device=device) / size) % 1.0
        timesteps = self.schedule.timesteps
        return (fraction * timesteps).long().clamp(max=timesteps - 1)

    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The network's output for a noisy state, (B, V, Y, X)."""
        timestep = torch.zeros(len(now), dtype=torch.long, device=now.device)
        noisy = now.new_empty(len(now), len(self.variables), *now.shape[2:])
        return self.network(noisy, self.condition(now, forcings, before), timestep)
