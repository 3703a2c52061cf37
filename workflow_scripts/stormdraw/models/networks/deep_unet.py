"""A deep conditional U-Net with any number of levels of any width, and optional attention.

The network of Ho et al. (2020) as built by diffusers. Narrow levels on the full grid and wide ones
below save memory: each level has a quarter of the points of the level above.
"""

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn

from stormdraw.models.families.deep_unet import GROUPS, Options
from stormdraw.models.norms import replace_group_norms
from stormdraw.models.padding import pad_to_multiple
from stormdraw.models.reach import level_context


class Network(nn.Module):
    """Predicts noise or velocity of a noisy state, given a condition on the same grid."""

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
        replace_group_norms(self.unet, options.norm)
        self.context = _context(options)

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, V, Y, X), condition (B, C, Y, X), timestep (B,) -> (B, V, Y, X)."""
        height, width = noisy.shape[-2:]
        x = pad_to_multiple(torch.cat([noisy, condition], dim=1), self.multiple)
        (predicted,) = self.unet(x, timestep, return_dict=False)
        return predicted[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        return [module for module in self.unet.modules() if isinstance(module, ResnetBlock2D)]


def _context(options: Options) -> int | None:
    if options.norm == "group" or options.attention:
        return None
    before, after = 2 * options.blocks, 2 * (options.blocks + 1)
    # Two blocks in the middle.
    context = before + 4 + after
    for _ in options.channels[1:]:
        context = level_context(context, before, after)
    return 1 + context + 1
