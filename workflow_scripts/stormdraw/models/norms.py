"""Norms of features: of each point by itself, or over the whole field.

A network learns from crops and forecasts whole grids. What a norm over the field takes out depends
on where the field ends: a cold air mass at one end of the grid changes the forecast at the other,
and a point of a crop comes out otherwise than the same point of the grid.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families import Norm
from stormdraw.models.families.conditional_unet import GROUPS


class LocalNorm(nn.LayerNorm):
    """Brings the channels of each point to mean 0 and variance 1, then scales and shifts each.

    Layer normalisation (Ba et al. 2016) at every point, as in ConvNeXt (Liu et al. 2022). It has
    two weights a channel, as a group norm has.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, C, Y, X) -> the same."""
        points = functional.layer_norm(
            x.movedim(1, -1), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return points.movedim(-1, 1)


_NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "local": LocalNorm,
    "group": lambda channels: nn.GroupNorm(GROUPS, channels),
}


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """A norm of fields (B, C, Y, X): `local`, or `group`, over the field (Wu and He 2018)."""
    return _NORMS[kind](channels)


def replace_group_norms(network: nn.Module, kind: Norm) -> None:
    """Put norms of a kind in the place of all group norms within a network from elsewhere."""
    if kind == "group":
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, make_norm(kind, child.num_channels))
