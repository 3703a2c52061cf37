"""Random changes of training samples on the training device: noise, rotation and scaling.

The random numbers depend only on the generators and are drawn for the whole batch, so they are the
same on any number of devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import nn
from torch.nn.functional import pad

from stormdraw.fields.statistics import Statistics
from stormdraw.models.normalization import Normalization
from stormdraw.models.pairs import Batch
from stormdraw.models.training_settings import Augmentation
from stormdraw.roles import Roles
from stormdraw.variables import other_components, variable, vectors


@dataclass(frozen=True)
class Change:
    """What happens to one sample: quarter turns to the left, and a scale factor."""

    turns: int = 0
    scale: float = 1.0


class Augmenter(nn.Module):
    """Changes samples as a configuration asks.

    Wind vectors turn with the fields. Scaling stretches a state about the value that means nothing
    is there (the reflectivity floor, calm air, no energy), or else about the training mean. Noise
    is added to the input states, not to the target. Finally, every changed state is clipped to the
    bounds of the variables, and its dew point to the temperature. Fields among the forcings, of the
    initial time or of a driving model, turn and stretch as the states do.

    `statistics` are those of all variables with one of the `roles`, by default all predicted. Each
    of the `forced` is the number of the first of some fields among the forcings, and their
    statistics.
    """

    origin: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor

    def __init__(
        self,
        settings: Augmentation,
        statistics: Statistics,
        roles: Roles | None = None,
        forced: Sequence[tuple[int, Statistics]] = (),
    ) -> None:
        super().__init__()
        roles = roles or Roles(predicted=statistics.variables)
        self.forced = nn.ModuleList(Augmenter(settings, of_fields) for _, of_fields in forced)
        self.places = [
            slice(first, first + len(of_fields.variables)) for first, of_fields in forced
        ]
        self.predicted = len(roles.predicted)
        statistics = statistics.of(roles.forecast)
        self.settings = settings
        self.names = statistics.variables
        self.normalization = Normalization(statistics, "next_state")
        self.noisy = {name: std for name, std in settings.noise.items() if name in self.names}
        rows = [variable(name) for name in self.names]
        origin = [
            _origin(name, mean) for name, mean in zip(self.names, statistics.mean, strict=True)
        ]
        for key, values in (
            ("origin", origin),
            ("lower", [row.lower for row in rows]),
            ("upper", [row.upper for row in rows]),
        ):
            self.register_buffer(key, torch.tensor(values)[:, None, None], persistent=False)

    def forward(
        self, batch: Batch, decisions: torch.Generator, noise: torch.Generator | None
    ) -> Batch:
        """The batch with some of its samples changed.

        `decisions` lives on the CPU, so that drawing never waits for a GPU; `noise` lives on the
        batch's device.
        """
        square = batch.now.shape[-1] == batch.now.shape[-2]
        changes = self.draw(batch.full_size, square, decisions)
        places = range(batch.full_size) if batch.share is None else batch.share.indices
        mine = {k: change for k, place in enumerate(places) if (change := changes[place])}
        drawn = self._draw_noise(batch, noise)
        if not mine:
            return batch
        states, forcings = self._sequence(batch).clone(), batch.forcings.clone()
        factor, weights = (
            None if each is None else each.clone() for each in (batch.map_factor, batch.weights)
        )
        for k, change in mine.items():
            states[k] = self.change(states[k], change, {n: each[k] for n, each in drawn.items()})
            forcings[k] = self._changed_forcings(forcings[k], change)
            for each in (factor, weights):
                if each is not None:
                    each[k] = torch.rot90(each[k], change.turns, dims=(1, 0))
        return replace(
            batch,
            now=states[:, -2, : self.predicted],
            following=states[:, -1],
            before=None if batch.before is None else states[:, :-2, : self.predicted],
            forcings=forcings,
            map_factor=factor,
            weights=weights,
        )

    def draw(self, samples: int, square: bool, generator: torch.Generator) -> list[Change | None]:
        """What happens to each sample; None for an unchanged sample.

        Samples that are not square only turn by half a circle.
        """
        low, high = self.settings.scale
        drawn: list[Change | None] = []
        # Every sample uses the same number of random numbers, whatever the outcome.
        for chosen, rotates, turn, scale in torch.rand(
            samples, 4, generator=generator, dtype=torch.float64
        ).tolist():
            turns = 1 + int(3 * turn) if square else 2
            change = Change(
                turns if rotates < self.settings.rotation_probability else 0,
                low + (high - low) * scale,
            )
            drawn.append(change if chosen < self.settings.probability else None)
        return drawn

    def change(
        self, states: torch.Tensor, change: Change, noise: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        """Change physical states of consecutive hours (H + 1, V, Y, X); the last one is the target.

        `noise`, in standard deviations, is (H, Y, X) for each noisy variable.
        """
        states = self.scaled(self.turned(states, change.turns), change.scale)
        for name, drawn in noise.items():
            states[:-1, self.names.index(name)] += drawn * self._physical_std(name)
        return self._within_bounds(states)

    def turned(self, states: torch.Tensor, turns: int) -> torch.Tensor:
        """(..., V, Y, X) rotated by quarter turns to the left, including the wind vectors (u, v).

        Rows run northwards. A quarter turn takes (u, v) to (-v, u).
        """
        states = torch.rot90(states, turns, dims=(-1, -2)).clone()
        for x_component, y_component in vectors().items():
            if x_component not in self.names:
                continue
            east, north = self.names.index(x_component), self.names.index(y_component)
            for _ in range(turns):
                u = states[..., east, :, :].clone()
                states[..., east, :, :] = -states[..., north, :, :]
                states[..., north, :, :] = u
        return states

    def scaled(self, states: torch.Tensor, factor: float) -> torch.Tensor:
        """(..., V, Y, X) stretched about each variable's origin."""
        return self.origin + factor * (states - self.origin)

    def _changed_forcings(self, forcings: torch.Tensor, change: Change) -> torch.Tensor:
        """The forcings of a sample, (F, Y, X), turned; fields among them change as states do."""
        changed = torch.rot90(forcings, change.turns, dims=(2, 1)).clone()
        for place, each in zip(self.places, self.forced, strict=True):
            fields = cast("Augmenter", each)
            physical = fields.normalization.physical(forcings[None, place])
            physical = fields.change(physical, change, {})
            changed[place] = fields.normalization.standardise(physical)[0]
        return changed

    def _sequence(self, batch: Batch) -> torch.Tensor:
        """The batch's states in order of time, the target last: (B, H + 1, V, Y, X).

        Diagnosed variables are 0 but in the target.
        """
        before = () if batch.before is None else batch.before.unbind(dim=1)
        diagnosed = len(self.names) - self.predicted
        earlier = [pad(state, (0, 0, 0, 0, 0, diagnosed)) for state in (*before, batch.now)]
        return torch.stack([*earlier, batch.following], dim=1)

    def _draw_noise(
        self, batch: Batch, generator: torch.Generator | None
    ) -> dict[str, torch.Tensor]:
        """White noise for this device's samples, (B, H, Y, X) for each noisy variable."""
        hours = 1 if batch.before is None else 1 + batch.before.shape[1]
        shape = (batch.full_size, hours, *batch.now.shape[-2:])
        return {
            name: std
            * batch.own_part(torch.randn(shape, generator=generator, device=batch.now.device))
            for name, std in self.noisy.items()
        }

    def _physical_std(self, name: str) -> torch.Tensor:
        return self.normalization.std[self.names.index(name)]

    def _within_bounds(self, states: torch.Tensor) -> torch.Tensor:
        states = torch.minimum(torch.maximum(states, self.lower), self.upper)
        if {"T2M", "D2M"} <= set(self.names):
            dew_point, temperature = self.names.index("D2M"), self.names.index("T2M")
            states[..., dew_point, :, :] = torch.minimum(
                states[..., dew_point, :, :], states[..., temperature, :, :]
            )
        return states


def _origin(name: str, mean: float) -> float:
    """The value that scaling leaves unchanged: the floor, calm air, or the mean."""
    row = variable(name)
    if row.floor is not None:
        return row.floor
    return 0.0 if name in other_components() else float(mean)
