"""What every trained model has in common: a network, and how states are encoded for it."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import channels_of
from stormdraw.models.losses import variable_weights
from stormdraw.models.normalization import Normalization
from stormdraw.models.pairs import Batch
from stormdraw.models.physics import PhysicalLaws
from stormdraw.models.registry import build_network
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles


class Forecaster(nn.Module, ABC):
    """Generates the state one hour ahead, given the current state, earlier states and the forcings.

    Only the network has weights; everything else follows from settings and statistics.
    """

    # Its call depends on its role, as the registry describes.
    network: Any
    # The noise level of each sample of the last training batch, (B,), if the model has noise
    # levels.
    noise_levels: torch.Tensor | None = None
    # Their violations of physical laws, (B, L), if the configuration asks for laws.
    violations: torch.Tensor | None = None
    weights_of_variables: torch.Tensor

    def __init__(self, settings: ModelSettings, statistics: Statistics, roles: Roles) -> None:
        """`statistics` are those of all variables that have one of these `roles`."""
        super().__init__()
        self.settings = settings
        self.roles = roles
        self.statistics = statistics.of(roles.every)
        # Those that it gives, in the order of its output.
        self.variables = roles.forecast
        self.network = build_network(
            settings.family,
            settings.network_options,
            len(roles.forecast),
            settings.history * len(roles.predicted) + len(channels_of(settings, roles)),
            len(roles.predicted),
            settings.network_role,
        )
        given = statistics.of(roles.forecast)
        self.normalization = Normalization(given, settings.target, len(roles.diagnosed))
        self.register_buffer(
            "weights_of_variables",
            variable_weights(roles.forecast, settings.loss.variable_weights),
            persistent=False,
        )
        physics = settings.physics
        self.laws = None if physics is None else PhysicalLaws(physics, given)

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The variables of the columns of `training_losses`."""
        return self.variables

    @property
    def law_names(self) -> tuple[str, ...]:
        """The physical laws of the columns of `violations`."""
        return () if self.laws is None else self.laws.laws

    def objective(self, losses: torch.Tensor) -> torch.Tensor:
        """The quantity to minimise: the mean loss (B, V) plus the weighted law violations."""
        if self.laws is None or self.violations is None:
            return losses.mean()
        # Not a matrix product, which autocast would compute in half precision.
        return losses.mean() + (self.violations * self.laws.weights).sum(dim=1).mean()

    def condition(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The condition (B, H V + F, Y, X): standardised states, oldest first, then forcings.

        `now` is the physical state (B, V, Y, X) of the predicted variables, `before` the H - 1
        hourly states before it, (B, H - 1, V, Y, X), and `forcings` are (B, F, Y, X). With
        `history_as: changes`, each earlier state is replaced by the change over the following hour,
        scaled by the standard deviation of such changes: networks are slow to learn the small
        differences between states.
        """
        return self.condition_of(self.transformed_states(now, before), forcings)

    def transformed_states(
        self, now: torch.Tensor, before: torch.Tensor | None
    ) -> list[torch.Tensor]:
        """The transformed states that `condition` is of, the oldest first, each (B, V, Y, X)."""
        states = [*([] if before is None else before.unbind(dim=1)), now]
        return [self.normalization.transform(state) for state in states]

    def condition_of(self, states: Sequence[torch.Tensor], forcings: torch.Tensor) -> torch.Tensor:
        """The condition of transformed states, the oldest first."""
        scaled = self.normalization.scaled
        if self.settings.history_as == "changes":
            pairs = itertools.pairwise(states)
            earlier = [self.normalization.scaled_change(*pair) for pair in pairs]
        else:
            earlier = [scaled(state) for state in states[:-1]]
        return torch.cat([*earlier, scaled(states[-1]), forcings], dim=1)

    def persistence(self, now: torch.Tensor) -> torch.Tensor:
        """The target if nothing changes, (B, V, Y, X): a first guess of the clean state."""
        return self.normalization.persistence(now)

    @abstractmethod
    def training_losses(self, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
        """The loss of each sample and variable, (B, V).

        All randomness comes from `generator`, which lives on the batch's device.
        """

    @abstractmethod
    def rehearse(
        self, now: torch.Tensor, forcings: torch.Tensor, before: torch.Tensor | None = None
    ) -> torch.Tensor:
        """One evaluation of the network as in a forecast, to count its memory."""
