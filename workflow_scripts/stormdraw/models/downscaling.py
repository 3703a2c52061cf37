"""A diffusion model of the fine values within a coarse cell, given the cell means."""

import math

import torch

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.fields.transforms import inverse
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles


class DownscalingModel(DiffusionModel):
    """Generates the deviations of one variable from its mean over a block of points.

    A coarse value is the mean of the standardised values of a block, for each variable. The coarse
    fields may thus come from another model than the fine ones.
    """

    def __init__(self, settings: ModelSettings, statistics: Statistics, roles: Roles) -> None:
        super().__init__(settings, statistics, roles)
        self.downscaled = self.variables.index(str(settings.variable))

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The downscaled variable alone."""
        return (self.variables[self.downscaled],)

    def split(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Physical states (B, V, Y, X) as n blocks: means (B n, V), details (B n, 1, block, block).

        Details are deviations from the mean in standard deviations. Rows and columns beyond the
        last whole block are left out. Raises StormdrawError if the fields are smaller than a block.
        """
        size = self.network.block
        rows, columns = (side // size for side in states.shape[-2:])
        if not rows or not columns:
            raise StormdrawError(
                f"a block has {size} x {size} points, but the fields or training.crop only "
                f"{states.shape[-2]} x {states.shape[-1]}; take a larger part of the grid"
            )
        whole = self.normalization.standardise(states)[..., : rows * size, : columns * size]
        blocks = whole.unflatten(3, (columns, size)).unflatten(2, (rows, size))
        blocks = blocks.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)  # (B n, V, block, block)
        coarse = blocks.mean(dim=(2, 3))
        chosen = slice(self.downscaled, self.downscaled + 1)
        return coarse, blocks[:, chosen] - coarse[:, chosen, None, None]

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The mean loss of each sample's blocks, (B, 1)."""
        coarse, clean = self.split(batch.following)
        # Random numbers are drawn for the blocks of the full batch, (full size, n), on every
        # device.
        blocks = (batch.full_size, len(clean) // len(batch.now))
        count, device = math.prod(blocks), clean.device
        level = self.formulation.draw_levels(count, generator, device)
        noise = torch.randn((count, *clean.shape[1:]), generator=generator, device=device)
        level = batch.own_part(level.unflatten(0, blocks)).flatten(0, 1)
        noise = batch.own_part(noise.unflatten(0, blocks)).flatten(0, 1)
        losses = self.errors(clean, coarse, level, noise) * self.formulation.weight(level)
        return losses.unflatten(0, (len(batch.now), -1)).mean(dim=1)

    def physical_field(self, standardised: torch.Tensor) -> torch.Tensor:
        """Standardised values of the downscaled variable, of any shape, in physical units."""
        normalization, index = self.normalization, self.downscaled
        mean, std = normalization.mean[index, 0, 0], normalization.std[index, 0, 0]
        return inverse(standardised * std + mean, normalization.transforms[index])

    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The network's output for all blocks of a state, (B n, 1, block, block)."""
        coarse, clean = self.split(now)
        level = self.formulation.noisiest(len(clean), now.device)
        return self.predict(clean, coarse, level)
