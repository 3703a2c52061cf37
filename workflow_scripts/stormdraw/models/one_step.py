"""A model that generates the next hour in one network pass, deterministic or stochastic."""

from collections.abc import Callable

import torch

from stormdraw.models.forecaster import Forecaster
from stormdraw.models.losses import absolute_error, almost_fair_crps, squared_error
from stormdraw.models.pairs import Batch
from stormdraw.models.white_noise import White, torch_noise

# The slope of a bounded loss beyond the bounds: enough for a gradient, almost nothing in the loss.
_SLOPE_BEYOND_BOUNDS = 0.01


class OneStepModel(Forecaster):
    """Generates the next state in one pass.

    A regressor is deterministic. A generator also gets noise, and its ensemble is trained on the
    almost fair CRPS.
    """

    @property
    def stochastic(self) -> bool:
        """Whether it generates an ensemble."""
        return self.settings.loss.kind == "almost_fair_crps"

    def generate(
        self,
        condition: torch.Tensor,
        white: White | None = None,
        correlate: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """One sample for each condition (B, C, Y, X), in target space, (B, V, Y, X).

        All randomness comes from `white` noise, one sample for each condition, on their device; a
        deterministic model needs none. `correlate` may blend the noise (B, N, Y, X) with earlier
        noise; it must preserve mean 0 and variance 1.
        """
        if not self.stochastic:
            return self.network(condition).float()
        if white is None:
            raise ValueError("a stochastic model needs noise to generate from")
        noise = self.network.draw_noise(white, (condition.shape[-2], condition.shape[-1]))
        return self.network(condition, noise if correlate is None else correlate(noise)).float()

    def step(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The physical state one hour after `now`, (B, V, Y, X), from a deterministic model.

        The arguments are those of `condition`.
        """
        generated = self.generate(self.condition(now, forcings, before))
        return self.normalization.decode(now, generated)

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss of each sample and variable, (B, V)."""
        goal = self.normalization.encode(batch.now, batch.following)
        condition = self.condition(batch.now, batch.forcings, batch.before)
        loss = self.settings.loss
        if loss.kind == "almost_fair_crps":
            noise = batch.own_part(self._noise(condition, batch.full_size, loss.members, generator))
            members = self._members(condition, noise)
            scored = self._scored(batch.now, members)
            losses = almost_fair_crps(scored, goal, loss.alpha, batch.weights)
        else:
            error = squared_error if loss.kind == "mse" else absolute_error
            members = self.network(condition)[:, None]
            losses = error(self._scored(batch.now, members)[:, 0], goal, batch.weights)
        self.violations = self._violations(members, batch)
        return losses * self.weights_of_variables

    def _scored(self, now: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        """The members (B, M, V, Y, X) as the loss sees them.

        With `loss.bounded`, reflectivity has its floor and CAPE is not negative, as in forecasts.
        """
        if not self.settings.loss.bounded:
            return members
        each = [
            self.normalization.within_bounds(now, member.float(), _SLOPE_BEYOND_BOUNDS)
            for member in members.unbind(dim=1)
        ]
        return torch.stack(each, dim=1)

    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The network's output as in a forecast, (B, V, Y, X)."""
        condition = self.condition(now, forcings, before)
        if not self.stochastic:
            return self.network(condition)
        return self._members(condition, self._noise(condition, len(now), 1, None))[:, 0]

    def _noise(
        self, condition: torch.Tensor, size: int, count: int, generator: torch.Generator | None
    ) -> torch.Tensor:
        """Noise for `count` members of each of `size` samples, (B, M, N, Y, X)."""
        white = torch_noise(size * count, generator, condition.device)
        noise = self.network.draw_noise(white, (condition.shape[-2], condition.shape[-1]))
        return noise.unflatten(0, (size, count))

    def _violations(self, members: torch.Tensor, batch: Batch) -> torch.Tensor | None:
        """The violations of the configured laws by the members (B, M, V, Y, X), (B, L)."""
        if self.laws is None:
            return None
        # In float32 whatever the network's precision, as the losses are.
        with torch.autocast(members.device.type, enabled=False):
            states = self.normalization.transformed(batch.now, members.float())
            return self.laws(states, batch.following, batch.map_factor, batch.weights)

    def _members(self, condition: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Condition (B, C, Y, X) and noise (B, M, N, Y, X) -> (B, M, V, Y, X)."""
        repeated = condition.repeat_interleave(noise.shape[1], dim=0)
        return self.network(repeated, noise.flatten(0, 1)).unflatten(0, noise.shape[:2])
