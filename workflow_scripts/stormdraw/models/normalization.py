"""Between physical states, standardised ones, and what a diffusion model generates."""

import torch
from torch import nn

from stormdraw.fields.statistics import Statistics
from stormdraw.fields.transforms import forward, inverse
from stormdraw.models.settings import Target

# Targets that are states themselves.
_STATES = ("next_state", "perturbed_state")


class Normalization(nn.Module):
    """Standardises states of shape (B, V, Y, X) and undoes it.

    The target of a model is a state itself, the next one or a perturbed one, or the next one's
    difference to the current one, each brought to zero mean and unit variance: a residual by the
    mean and standard deviation of the change over one hour, which is often a tenth of the state's
    own.
    """

    mean: torch.Tensor
    std: torch.Tensor
    tendency_mean: torch.Tensor
    tendency_std: torch.Tensor

    def __init__(self, statistics: Statistics, target: Target) -> None:
        super().__init__()
        self.transforms = statistics.transforms
        self.target = target
        for name in ("mean", "std", "tendency_mean", "tendency_std"):
            values = torch.as_tensor(getattr(statistics, name), dtype=torch.float32)
            self.register_buffer(name, values[:, None, None], persistent=False)

    def standardise(self, physical: torch.Tensor) -> torch.Tensor:
        """Physical units -> zero mean and unit variance, after each variable's transform."""
        return (self._transform(physical) - self.mean) / self.std

    def physical(self, standardised: torch.Tensor) -> torch.Tensor:
        """The inverse of `standardise`."""
        return self._untransform(standardised * self.std + self.mean)

    def encode(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """What the model must generate for the physical states `now` and one hour later."""
        if self.target in _STATES:
            return self.standardise(following)
        change = self._transform(following) - self._transform(now)
        return (change - self.tendency_mean) / self.tendency_std

    def decode(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The physical state one hour after `now`: the inverse of `encode`."""
        return self._untransform(self.transformed(now, generated))

    def transformed(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The same after each variable's transform."""
        if self.target in _STATES:
            return generated * self.std + self.mean
        change = generated * self.tendency_std + self.tendency_mean
        return self._transform(now) + change

    def _transform(self, physical: torch.Tensor) -> torch.Tensor:
        return _each(physical, self.transforms, forward)

    def _untransform(self, transformed: torch.Tensor) -> torch.Tensor:
        return _each(transformed, self.transforms, inverse)


def _each(states: torch.Tensor, transforms: tuple[str, ...], function) -> torch.Tensor:  # type: ignore[no-untyped-def]
    """Apply each variable's transform along the second axis of (B, V, Y, X)."""
    parts = [function(states[:, i], transform) for i, transform in enumerate(transforms)]
    return torch.stack(parts, dim=1)
