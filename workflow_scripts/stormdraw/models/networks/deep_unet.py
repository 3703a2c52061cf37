"""A deep conditional U-Net: any number of levels, of any width, with attention at the coarsest.

The network of Ho et al. (2020) as diffusers builds it. Narrow levels on the full grid and wide ones
below keep its memory down: the points of a level are a quarter of those above it.
"""

from typing import Annotated

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d import UNet2DModel
from pydantic import Field
from torch import nn

from stormdraw.models.padding import pad_to_multiple
from stormdraw.section import Section

GROUPS = 8


class Options(Section):
    """The section `network` of a model's configuration.

    `channels` is the width of each level, the finest first; each further level has half the rows
    and columns. `blocks` is the number of residual blocks a level on the way down; there is one
    more on the way up. `attention` puts one layer of it between the two.
    """

    channels: Annotated[
        list[Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)]], Field(min_length=2)
    ]
    blocks: Annotated[int, Field(ge=1)] = 2
    attention: bool = False


class Network(nn.Module):
    """Predicts noise or velocity of a noisy state, given a condition on the same grid, any size."""

    role = "denoiser"

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        levels = len(options.channels)
        self.multiple = 2 ** (levels - 1)
        self.unet = UNet2DModel(
            in_channels=variables + condition_channels,
            out_channels=variables,
            block_out_channels=tuple(options.channels),
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            layers_per_block=options.blocks,
            norm_num_groups=GROUPS,
            add_attention=options.attention,
        )

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, V, Y, X), condition (B, C, Y, X), timestep (B,) -> (B, V, Y, X)."""
        height, width = noisy.shape[-2:]
        x = pad_to_multiple(torch.cat([noisy, condition], dim=1), self.multiple)
        (predicted,) = self.unet(x, timestep, return_dict=False)
        return predicted[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """Whose activations may be computed twice instead of being kept."""
        return [module for module in self.unet.modules() if isinstance(module, ResnetBlock2D)]
