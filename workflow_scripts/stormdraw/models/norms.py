"""Norms of features: at each point, or over the whole field.

A network learns from crops and forecasts whole grids. A norm over the field depends on the extent
of the field: a cold air mass at one end of the grid changes the forecast at the other, and a point
in a crop gets another result than the same point in the grid.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families import Norm
from stormdraw.models.families.conditional_unet import GROUPS


class LocalNorm(nn.LayerNorm):
    """Scales the channels of each point to mean 0 and variance 1, then applies two weights to each.

    Layer normalisation (Ba et al. 2016) at every point, as in ConvNeXt (Liu et al. 2022). Like a
    group norm, it has a scale and a shift per channel.
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
    """A norm of fields (B, C, Y, X): at each point, or a group norm (Wu and He 2018)."""
    return _NORMS[kind](channels)


def replace_group_norms(network: nn.Module, kind: Norm) -> None:
    """Replace all group norms within a network from another library."""
    if kind == "group":
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, make_norm(kind, child.num_channels))
