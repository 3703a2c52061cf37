"""The sampler that the ensembles stage passes to a diagnosis, which cannot import that stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from stormdraw.models.white_noise import White

# watch(noise level, noisy state (B, V, Y, X), the network's prediction (B, V, Y, X))
Watch = Callable[[float, torch.Tensor, torch.Tensor], None]

# draw(states (B, V, Y, X), condition (B, C, Y, X), white noise of the members, watch or None) ->
# samples in target space (B, V, Y, X)
Draw = Callable[[torch.Tensor, torch.Tensor, White, Watch | None], torch.Tensor]


@dataclass(frozen=True)
class HourSampler:
    """How members of one hour are drawn from a model and limited to physical bounds.

    `draw` passes the steps of a diffusion model to its watch. `bound(physical states, variables)`
    gives the states within bounds. `description` explains the method in words.
    """

    draw: Draw
    bound: Callable[[torch.Tensor, Sequence[str]], torch.Tensor]
    members: int
    description: str
