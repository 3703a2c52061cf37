"""A diffusion model of the next hour: network, noise schedule and normalisation together."""

import torch
from torch import nn

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import channel_count
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.normalization import Normalization
from stormdraw.models.registry import build_network
from stormdraw.models.settings import ModelSettings

# Quarters of the timesteps.
NOISE_LEVELS = ("nearly_clean", "light", "heavy", "nearly_noise")


class DiffusionModel(nn.Module):
    """Generates the state one hour ahead, given the current state and the forcings.

    Only the network has weights: schedule and normalisation follow from settings and statistics.
    """

    def __init__(self, settings: ModelSettings, statistics: Statistics) -> None:
        super().__init__()
        self.settings = settings
        self.variables = statistics.variables
        variables = len(statistics.variables)
        self.network = build_network(
            settings.family,
            settings.network,
            variables,
            variables + channel_count(settings.forcings),
        )
        schedule = settings.noise_schedule
        self.schedule = NoiseSchedule(cosine_betas(schedule.timesteps, schedule.largest_beta))
        self.normalization = Normalization(statistics, settings.target)

    def condition(self, now: torch.Tensor, forcings: torch.Tensor) -> torch.Tensor:
        """Physical state (B, V, Y, X) and forcings (B, F, Y, X) -> (B, V + F, Y, X)."""
        return torch.cat([self.normalization.standardise(now), forcings], dim=1)

    def noise_level(self, timestep: torch.Tensor) -> torch.Tensor:
        """The quarter of the timesteps, 0 to 3, that each one (B,) lies in."""
        return timestep * len(NOISE_LEVELS) // self.schedule.timesteps

    def losses(
        self,
        now: torch.Tensor,
        following: torch.Tensor,
        forcings: torch.Tensor,
        timestep: torch.Tensor,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """Mean squared error of the prediction for each sample and variable, (B, V).

        `now` and `following` are physical states one hour apart and `noise` is white, each
        (B, V, Y, X); `forcings` are (B, F, Y, X) and `timestep` (B,). The mean of the result is the
        simple loss of Ho et al. (2020), equation 14.
        """
        clean = self.normalization.encode(now, following)
        noisy = self.schedule.add_noise(clean, noise, timestep)
        goal = self.schedule.goal(self.settings.prediction, clean, noise, timestep)
        predicted = self.network(noisy, self.condition(now, forcings), timestep)
        # In single precision whatever the network computes in: squares of small numbers vanish.
        return (predicted.float() - goal).square().mean(dim=(2, 3))

    def persistence(self, now: torch.Tensor) -> torch.Tensor:
        """What to generate if nothing changes, (B, V, Y, X): a first guess of the clean state."""
        return self.normalization.encode(now, now)
