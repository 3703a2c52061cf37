"""A model that generates the next hour in one pass of its network, with or without chance."""

from collections.abc import Sequence

import torch

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.losses import absolute_error, almost_fair_crps, squared_error
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings


class OneStepModel(Forecaster):
    """Generates the next state at once.

    A regressor's network says the same at each call; a generator's is given noise as well, and its
    ensemble is trained on the almost fair CRPS.
    """

    roles = ("regressor", "generator")

    def __init__(self, settings: ModelSettings, statistics: Statistics) -> None:
        super().__init__(settings, statistics)
        if self.stochastic != (settings.loss.kind == "almost_fair_crps"):
            raise StormdrawError(
                f"a network of the family {settings.family} is a {self.network.role}: its "
                + (
                    "loss.kind is almost_fair_crps"
                    if self.stochastic
                    else "loss.kind is mse or mae"
                )
                + f", not {settings.loss.kind}"
            )

    @property
    def stochastic(self) -> bool:
        """Whether it makes an ensemble."""
        return self.network.role == "generator"

    def generate(
        self, condition: torch.Tensor, generators: Sequence[torch.Generator] | None = None
    ) -> torch.Tensor:
        """One sample for each condition (B, C, Y, X), in the space of the target, (B, V, Y, X).

        All that is random in sample k comes from generator k, which lives on the CPU; a model
        without chance needs none.
        """
        if not self.stochastic:
            return self.network(condition).float()
        shape = (condition.shape[-2], condition.shape[-1])
        each = [self.network.draw_noise(1, shape, one) for one in generators or ()]
        return self.network(condition, torch.cat(each).to(condition.device)).float()

    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss of each sample and variable, (B, V)."""
        goal = self.normalization.encode(batch.now, batch.following)
        condition = self.condition(batch.now, batch.forcings, batch.before)
        loss = self.settings.loss
        if loss.kind == "almost_fair_crps":
            members = self._draw(condition, loss.members, generator)
            losses = almost_fair_crps(members, goal, loss.alpha)
        else:
            error = squared_error if loss.kind == "mse" else absolute_error
            losses = error(self.network(condition), goal)
        return losses * self.weights_of_variables

    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The network as it forecasts, (B, V, Y, X)."""
        condition = self.condition(now, forcings, before)
        return self._draw(condition, 1, None)[:, 0] if self.stochastic else self.network(condition)

    def _draw(
        self, condition: torch.Tensor, count: int, generator: torch.Generator | None
    ) -> torch.Tensor:
        """`count` members for each condition (B, C, Y, X), (B, M, V, Y, X)."""
        repeated = condition.repeat_interleave(count, dim=0)
        shape = (condition.shape[-2], condition.shape[-1])
        noise = self.network.draw_noise(len(repeated), shape, generator, condition.device)
        return self.network(repeated, noise).unflatten(0, (len(condition), count))
