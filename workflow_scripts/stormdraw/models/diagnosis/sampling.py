"""What a diagnosis is handed by the ensembles stage, since that one lies to the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from stormdraw.models.white_noise import White

# watch(timestep, noisy state (B, V, Y, X), what the network says of it (B, V, Y, X))
Watch = Callable[[int, torch.Tensor, torch.Tensor], None]

# draw(states (B, V, Y, X), condition (B, C, Y, X), white noise of the members, watch or None) ->
# samples in the space of the model's target (B, V, Y, X)
Draw = Callable[[torch.Tensor, torch.Tensor, White, Watch | None], torch.Tensor]


@dataclass(frozen=True)
class HourSampler:
    """How members of one hour are drawn from a model, and brought within physical bounds.

    `draw` shows its watch the steps of a diffusion model. `bound(physical states, variables)` gives
    the states within bounds. `description` says in words how it is done.
    """

    draw: Draw
    bound: Callable[[torch.Tensor, Sequence[str]], torch.Tensor]
    members: int
    description: str
