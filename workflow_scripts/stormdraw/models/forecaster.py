"""What every trained model has in common: a network between states and what is made of them."""

import itertools
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import channel_count
from stormdraw.models.losses import variable_weights
from stormdraw.models.normalization import Normalization
from stormdraw.models.pairs import Batch
from stormdraw.models.physics import PhysicalLaws
from stormdraw.models.registry import build_network
from stormdraw.models.settings import ModelSettings


class Forecaster(nn.Module, ABC):
    """Generates the state one hour ahead, given the current one, earlier ones and the forcings.

    Only the network has weights: all else follows from settings and statistics.
    """

    # As the registry describes it: what it is called with depends on its role.
    network: Any
    # Of the samples of the last training batch, (B,), if their loss depends on any.
    noise_levels: torch.Tensor | None = None
    # Of those samples too, (B, L), if the configuration asks for physical laws.
    violations: torch.Tensor | None = None
    weights_of_variables: torch.Tensor

    def __init__(self, settings: ModelSettings, statistics: Statistics) -> None:
        super().__init__()
        self.settings = settings
        self.variables = statistics.variables
        variables = len(statistics.variables)
        self.network = build_network(
            settings.family,
            settings.network_options,
            variables,
            settings.history * variables + channel_count(settings.forcings),
        )
        self.normalization = Normalization(statistics, settings.target)
        self.register_buffer(
            "weights_of_variables",
            variable_weights(statistics.variables, settings.loss.variable_weights),
            persistent=False,
        )
        physics = settings.physics
        self.laws = None if physics is None else PhysicalLaws(physics, statistics)

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The variables that `training_losses` keeps apart."""
        return self.variables

    @property
    def law_names(self) -> tuple[str, ...]:
        """The physical laws that `violations` keeps apart."""
        return () if self.laws is None else self.laws.laws

    def objective(self, losses: torch.Tensor) -> torch.Tensor:
        """What a step makes small: the mean of the last batch's losses (B, V), and its weighted
        violations of physical laws."""
        if self.laws is None or self.violations is None:
            return losses.mean()
        # Not a matrix product, which autocast would compute in half precision.
        return losses.mean() + (self.violations * self.laws.weights).sum(dim=1).mean()

    def condition(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The condition channels, (B, H V + F, Y, X): standardised states, oldest first, forcings.

        `now` is the physical state (B, V, Y, X), `before` the H - 1 hourly ones before it,
        (B, H - 1, V, Y, X), and `forcings` are (B, F, Y, X). With `history_as: changes`, the change
        over the hour that follows stands for each earlier state, scaled by its own deviation:
        between two states it is a small difference, which a network is slow to learn to take.
        """
        states = [*([] if before is None else before.unbind(dim=1)), now]
        standardised = self.normalization.standardise
        if self.settings.history_as == "changes":
            earlier = [self.normalization.change(*pair) for pair in itertools.pairwise(states)]
        else:
            earlier = [standardised(state) for state in states[:-1]]
        return torch.cat([*earlier, standardised(now), forcings], dim=1)

    def persistence(self, now: torch.Tensor) -> torch.Tensor:
        """What to generate if nothing changes, (B, V, Y, X): a first guess of the clean state."""
        return self.normalization.encode(now, now)

    @abstractmethod
    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss of each sample and variable, (B, V); all that is random comes from `generator`,
        which lives on the batch's device."""

    @abstractmethod
    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """One evaluation of the network as forecasts do it, to count its memory."""
