"""A model that generates the next hour in one network pass, deterministic or stochastic."""

import functools
from collections.abc import Callable, Sequence

import torch
from torch.utils.checkpoint import checkpoint

from stormdraw.models.forecaster import Forecaster
from stormdraw.models.losses import absolute_error, almost_fair_crps, squared_error
from stormdraw.models.pairs import Batch
from stormdraw.models.spectral_loss import spectral_crps
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
        """The loss of each sample and variable, (B, V): the mean over the hours of the batch.

        At every later hour the model starts from the states that it drew itself. These are compared
        with the truth in units of the change over the first hour.
        """
        states = self.transformed_states(batch.now, batch.before)
        start = states[-1]
        through = self._through
        # Of several hours, only what enters an hour is kept for the backward pass (Chen et al.
        # 2016): memory grows by the states of an hour, not by its activations.
        recomputed = batch.hours > 1 and torch.is_grad_enabled()
        losses, violations = [], []
        for hour in range(batch.hours):
            noise = self._training_noise(batch, generator)
            if through is not None and hour % through == 0:
                states = [state.detach() for state in states]
            score = functools.partial(self._score_hour, batch, hour, start)
            if recomputed:
                scored: _Scored = checkpoint(score, noise, *states, use_reentrant=False)
            else:
                scored = score(noise, *states)
            loss, violation, members = scored
            losses.append(loss)
            violations.append(violation)
            if members is not None:
                states = self._following(states, members)
        known = [each for each in violations if each is not None]
        self.violations = _mean(known) if known else None
        return _mean(losses) * self.weights_of_variables

    @property
    def _through(self) -> int | None:
        """How many hours gradients pass through at most; None if it is all of them."""
        rollout = self.settings.training.rollout
        return None if rollout is None else rollout.through

    def _score_hour(
        self,
        batch: Batch,
        hour: int,
        start: torch.Tensor,
        noise: torch.Tensor | None,
        *states: torch.Tensor,
    ) -> "_Scored":
        """One hour of a batch, counted from 0.

        `start` is the transformed state (B, V, Y, X) of the initial time; `states` are the last
        ones, of each sample or of each member.
        """
        following, forcings = batch.following_at(hour), batch.forcings_at(hour)
        of_members = len(states[-1]) // len(start)
        condition = self.condition_of(states, forcings.repeat_interleave(of_members, dim=0))
        generated = relative = self._generated(condition, noise)
        advanced = None
        spectral = self.settings.loss.spectral
        if hour or batch.hours > 1 or self.laws is not None or spectral:
            now = states[-1].repeat_interleave(len(generated) // len(states[-1]), dim=0)
            advanced = self.normalization.advanced(now, generated.float())
        if hour and advanced is not None:
            origin = start.repeat_interleave(len(generated) // len(start), dim=0)
            relative = self.normalization.relative(origin, advanced)
        by_sample = (len(start), -1)
        goal = self.normalization.encode(batch.now, following)
        members = self._scored(start, relative.unflatten(0, by_sample))
        loss = self._loss(members, goal, batch.weights)
        if spectral and advanced is not None:
            loss = loss + spectral * self._spectral_loss(
                advanced.unflatten(0, by_sample), following
            )
        violations = None
        if self.laws is not None and advanced is not None:
            # In float32 whatever the network's precision, as the losses are.
            with torch.autocast(advanced.device.type, enabled=False):
                told = batch.map_factor, batch.weights
                violations = self.laws(advanced.unflatten(0, by_sample), following, *told)
        return loss, violations, advanced if hour + 1 < batch.hours else None

    def _loss(
        self, members: torch.Tensor, goal: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """The loss of members (B, M, V, Y, X), (B, V)."""
        loss = self.settings.loss
        if self.stochastic:
            return almost_fair_crps(members, goal, loss.alpha, weights)
        error = squared_error if loss.kind == "mse" else absolute_error
        return error(members[:, 0], goal, weights)

    def _spectral_loss(self, members: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """That of transformed members (B, M, V, Y, X): of states, not of their changes, (B, V)."""
        normalization = self.normalization
        if self.settings.loss.bounded:
            members = torch.stack([normalization.clipped(one) for one in members.unbind(1)], dim=1)
        goal = normalization.transform(following) / normalization.scale
        return spectral_crps(members / normalization.scale, goal, self.settings.loss.alpha)

    def _following(
        self, states: Sequence[torch.Tensor], members: torch.Tensor
    ) -> list[torch.Tensor]:
        """The states that the next hour starts from, each (B M, V, Y, X), bounded as in forecasts.

        They stay transformed: the transform of CAPE is infinitely steep at zero.
        """
        each = len(members) // len(states[-1])
        earlier = [state.repeat_interleave(each, dim=0) for state in states[1:]]
        bounded = self.normalization.clipped(members)
        return [*earlier, bounded[:, : len(self.roles.predicted)]]

    def _scored(self, start: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        """The members (B, M, V, Y, X) as the loss sees them, as targets from the state `start`.

        With `loss.bounded`, reflectivity has its floor and CAPE is not negative, as in forecasts.
        """
        if not self.settings.loss.bounded:
            return members
        each = [
            self.normalization.within_bounds(start, member.float(), _SLOPE_BEYOND_BOUNDS)
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
        return self._generated(condition, self._noise(now, len(now), None))

    def _training_noise(
        self, batch: Batch, generator: torch.Generator | None
    ) -> torch.Tensor | None:
        """Noise of all members of this device's samples for one hour, (B M, N, Y, X)."""
        if not self.stochastic:
            return None
        count = self.settings.loss.members
        noise = self._noise(batch.now, batch.full_size * count, generator)
        return batch.own_part(noise.unflatten(0, (batch.full_size, count))).flatten(0, 1)

    def _noise(
        self, states: torch.Tensor, count: int, generator: torch.Generator | None
    ) -> torch.Tensor:
        """Noise for `count` members on the points of states (B, V, Y, X), (M, N, Y, X)."""
        white = torch_noise(count, generator, states.device)
        noise: torch.Tensor = self.network.draw_noise(white, (states.shape[-2], states.shape[-1]))
        return noise

    def _generated(self, condition: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """What the network makes of a condition (B, C, Y, X) with noise (B M, N, Y, X) or without.

        It is (B M, V, Y, X), and each sample's members stand together.
        """
        if noise is None:
            generated: torch.Tensor = self.network(condition)
        else:
            repeated = condition.repeat_interleave(len(noise) // len(condition), dim=0)
            generated = self.network(repeated, noise)
        return generated


# Of an hour: loss (B, V), violations (B, L) if there are laws, and the transformed members
# (B M, V, Y, X), not bounded, if another hour follows.
_Scored = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]


def _mean(each: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean of what is given for each hour."""
    return each[0] if len(each) == 1 else torch.stack(list(each)).mean(dim=0)
