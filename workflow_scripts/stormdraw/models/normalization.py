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
    standard deviation of the change over one hour, which is often a tenth of the state's own. The
    last variables of a target, `diagnosed`, are not in the current state, so their target is always
    their own value. Where a method takes states, these have all variables or those before.
    """

    mean: torch.Tensor
    std: torch.Tensor
    tendency_mean: torch.Tensor
    tendency_std: torch.Tensor
    scale: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor

    def __init__(self, statistics: Statistics, target: Target, diagnosed: int = 0) -> None:
        super().__init__()
        self.transforms = statistics.transforms
        self.diagnosed = diagnosed
        self.predicted = len(statistics.variables) - diagnosed
        self.target = target
        for name in ("mean", "std", "tendency_mean", "tendency_std"):
            values = torch.as_tensor(getattr(statistics, name), dtype=torch.float32)
            self.register_buffer(name, values[:, None, None], persistent=False)
        changes = torch.cat([self.tendency_std[: self.predicted], self.std[self.predicted :]])
        scale = self.std if target in _STATES else changes
        self.register_buffer("scale", scale, persistent=False)
        rows = [variable(name) for name in statistics.variables]
        names = statistics.variables
        self._dew_point = None
        if {"T2M", "D2M"} <= set(names):
            pair = names.index("T2M"), names.index("D2M")
            # Transforms rise, so that two of a kind keep the order.
            same = self.transforms[pair[0]] == self.transforms[pair[1]]
            self._dew_point = pair if same else None
        for side, bounds in (
            ("lower", [row.lower for row in rows]),
            ("upper", [row.upper for row in rows]),
        ):
            physical = torch.tensor(bounds, dtype=torch.float32)[None, :, None, None]
            self.register_buffer(side, self.transform(physical)[0], persistent=False)

    def transform(self, physical: torch.Tensor) -> torch.Tensor:
        """Physical units -> each variable's transform of them."""
        return _each(physical, self.transforms, forward)

    def scaled(self, transformed: torch.Tensor) -> torch.Tensor:
        """Transformed states -> zero mean and unit variance."""
        count = transformed.shape[1]
        return (transformed - self.mean[:count]) / self.std[:count]

    def standardise(self, physical: torch.Tensor) -> torch.Tensor:
        """Physical units -> zero mean and unit variance, after each variable's transform."""
        return self.scaled(self.transform(physical))

    def physical(self, standardised: torch.Tensor) -> torch.Tensor:
        """The inverse of `standardise`."""
        count = standardised.shape[1]
        return self._untransform(standardised * self.std[:count] + self.mean[:count])

    def encode(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The model's target for the physical states `now` and `following`, one hour later."""
        if self.target in _STATES:
            return self.standardise(following)
        change = self.change(now, following[:, : self.predicted])
        if not self.diagnosed:
            return change
        return torch.cat([change, self.standardise(following)[:, self.predicted :]], dim=1)

    def change(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The standardised change from the predicted variables `now` to those an hour later."""
        return self.scaled_change(self.transform(now), self.transform(following))

    def scaled_change(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The same of transformed states."""
        count = self.predicted
        return (following - now - self.tendency_mean[:count]) / self.tendency_std[:count]

    def persistence(self, now: torch.Tensor) -> torch.Tensor:
        """The target if no predicted variable changes and each diagnosed one has its mean."""
        steady = self.standardise(now) if self.target in _STATES else self.change(now, now)
        if not self.diagnosed:
            return steady
        none = steady.new_zeros(len(now), self.diagnosed, *now.shape[2:])
        return torch.cat([steady, none], dim=1)

    def decode(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The physical state one hour after `now`: the inverse of `encode`."""
        return self._untransform(self.transformed(now, generated))

    def transformed(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The transformed state one hour after `now`, (B, V, Y, X)."""
        return self.advanced(self.transform(now), generated)

    def advanced(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The same from a transformed state `now`."""
        return torch.addcmul(self._start(now), generated, self.scale)

    def relative(self, now: torch.Tensor, transformed: torch.Tensor) -> torch.Tensor:
        """The target that leads from a transformed state `now` to another one, as `advanced` does.

        Also if that is several hours later: the change is still in units of that over one hour.
        """
        return (transformed - self._start(now)) / self.scale

    def clipped(self, transformed: torch.Tensor) -> torch.Tensor:
        """Transformed states with the physical bounds of forecasts (`bounds.py`)."""
        bounded = transformed.clamp(self.lower, self.upper)
        if self._dew_point is None:
            return bounded
        temperature, dew_point = self._dew_point
        parts = list(bounded.unbind(dim=1))
        parts[dew_point] = torch.minimum(parts[dew_point], parts[temperature])
        return torch.stack(parts, dim=1)

    def within_bounds(
        self, now: torch.Tensor, generated: torch.Tensor, slope: float
    ) -> torch.Tensor:
        """What the model generated for a transformed state `now`, limited to the physical bounds.

        Both are (B, V, Y, X). Beyond a bound it continues with this `slope`, which keeps a gradient
        that leads back.
        """
        start, scale = self._start(now), self.scale
        bounded = generated.clamp((self.lower - start) / scale, (self.upper - start) / scale)
        return bounded + slope * (generated - bounded)

    def _start(self, now: torch.Tensor) -> torch.Tensor:
        """The transformed state that a target of 0 means, (B, V, Y, X) or for all (V, 1, 1).

        `now` is transformed as well.
        """
        if self.target in _STATES:
            return self.mean
        steady = now + self.tendency_mean[: self.predicted]
        if not self.diagnosed:
            return steady
        rest = self.mean[self.predicted :].expand(len(now), -1, *now.shape[2:])
        return torch.cat([steady, rest], dim=1)

    def _untransform(self, transformed: torch.Tensor) -> torch.Tensor:
        return _each(transformed, self.transforms, inverse)


def _each(states: torch.Tensor, transforms: tuple[str, ...], function) -> torch.Tensor:  # type: ignore[no-untyped-def]
    """Apply each variable's transform along the second axis of (B, V, Y, X)."""
    known = transforms[: states.shape[1]]
    parts = [function(states[:, i], transform) for i, transform in enumerate(known)]
    return torch.stack(parts, dim=1)
