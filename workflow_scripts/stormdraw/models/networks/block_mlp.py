"""A small dense network for one coarse cell: fine values from noise and the cell means."""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families.block_mlp import Options
from stormdraw.models.networks.conditional_unet import TimeEmbedding


class Network(nn.Module):
    """Predicts noise or velocity of the noisy fine values, given the coarse ones.

    Weather is smooth: of all patterns that the points of a block could form, most hardly occur. In
    those the noisy values are only noise, so the prediction is a multiple of them. A shortcut past
    the hidden layers, scaled according to the timestep, provides this multiple. Without it, noise
    passed the hidden layers blurred, and drawn fields were three times as rough as the truth.
    """

    # Crops consist of whole blocks, and the network sees nothing beyond its block.
    context = 0

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        self.block = self.multiple = options.block
        points, hidden = options.block**2, options.hidden
        self.fine = nn.Linear(points, hidden)
        self.coarse = nn.Linear(condition_channels, hidden)
        self.time = TimeEmbedding(hidden)
        self.middle = nn.Linear(hidden, hidden)
        self.leave = nn.Linear(hidden, points)
        self.share = nn.Linear(hidden, 1)

    def forward(
        self, noisy: torch.Tensor, coarse: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, 1, block, block), coarse (B, V), timestep (B,) -> (B, 1, block, block)."""
        time, points = self.time(timestep), noisy.flatten(1)
        hidden = self.fine(points) + self.coarse(coarse) + time
        hidden = hidden + self.middle(functional.silu(hidden))
        predicted = self.leave(functional.silu(hidden)) + self.share(time) * points
        return predicted.reshape(noisy.shape)
