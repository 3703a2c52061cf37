"""Conversions between physical states, standardised states, and a model's target."""

import torch
from torch import nn

from stormdraw.fields.statistics import Statistics
from stormdraw.fields.transforms import forward, inverse
from stormdraw.models.settings import Target
from stormdraw.variables import variable

# Targets that are states themselves.
_STATES = ("next_state", "perturbed_state")


class Normalization(nn.Module):
    """Standardises states of shape (B, V, Y, X) and inverts this.

    A model's target is a state (the next or a perturbed one), or the difference of the next state
    from the current one. Each is scaled to zero mean and unit variance. Residuals use the mean and
    standard deviation of the change over one hour, which is often a tenth of the state's own.
    """

    mean: torch.Tensor
    std: torch.Tensor
    tendency_mean: torch.Tensor
    tendency_std: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor

    def __init__(self, statistics: Statistics, target: Target) -> None:
        super().__init__()
        self.transforms = statistics.transforms
        self.target = target
        for name in ("mean", "std", "tendency_mean", "tendency_std"):
            values = torch.as_tensor(getattr(statistics, name), dtype=torch.float32)
            self.register_buffer(name, values[:, None, None], persistent=False)
        rows = [variable(name) for name in statistics.variables]
        for side, bounds in (
            ("lower", [row.lower for row in rows]),
            ("upper", [row.upper for row in rows]),
        ):
            physical = torch.tensor(bounds, dtype=torch.float32)[None, :, None, None]
            self.register_buffer(side, self._transform(physical)[0], persistent=False)

    def standardise(self, physical: torch.Tensor) -> torch.Tensor:
        """Physical units -> zero mean and unit variance, after each variable's transform."""
        return (self._transform(physical) - self.mean) / self.std

    def physical(self, standardised: torch.Tensor) -> torch.Tensor:
        """The inverse of `standardise`."""
        return self._untransform(standardised * self.std + self.mean)

    def encode(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The model's target for the physical states `now` and `following`, one hour later."""
        if self.target in _STATES:
            return self.standardise(following)
        return self.change(now, following)

    def change(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The standardised change from the physical state `now` to the one an hour later."""
        change = self._transform(following) - self._transform(now)
        return (change - self.tendency_mean) / self.tendency_std

    def decode(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The physical state one hour after `now`: the inverse of `encode`."""
        return self._untransform(self.transformed(now, generated))

    def transformed(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The next state after each variable's transform; also for M members, (B, M, V, Y, X)."""
        if self.target in _STATES:
            return torch.addcmul(self.mean, generated, self.std)
        steady = self._transform(now) + self.tendency_mean
        if generated.dim() > now.dim():
            steady = steady[:, None]
        return torch.addcmul(steady, generated, self.tendency_std)

    def within_bounds(
        self, now: torch.Tensor, generated: torch.Tensor, slope: float
    ) -> torch.Tensor:
        """What the model generated for `now`, (B, V, Y, X), limited to the physical bounds.

        Beyond a bound it continues with this `slope`, which keeps a gradient that leads back.
        """
        if self.target in _STATES:
            start, scale = self.mean, self.std
        else:
            start, scale = self._transform(now) + self.tendency_mean, self.tendency_std
        bounded = generated.clamp((self.lower - start) / scale, (self.upper - start) / scale)
        return bounded + slope * (generated - bounded)

    def _transform(self, physical: torch.Tensor) -> torch.Tensor:
        return _each(physical, self.transforms, forward)

    def _untransform(self, transformed: torch.Tensor) -> torch.Tensor:
        return _each(transformed, self.transforms, inverse)


def _each(states: torch.Tensor, transforms: tuple[str, ...], function) -> torch.Tensor:  # type: ignore[no-untyped-def]
    """Apply each variable's transform along the second axis of (B, V, Y, X)."""
    parts = [function(states[:, i], transform) for i, transform in enumerate(transforms)]
    return torch.stack(parts, dim=1)
