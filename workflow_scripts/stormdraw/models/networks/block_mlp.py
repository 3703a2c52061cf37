"""A small dense network for one coarse cell: its fine values from noise and the cell's means."""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families.block_mlp import Options
from stormdraw.models.networks.conditional_unet import TimeEmbedding


class Network(nn.Module):
    """Predicts noise or velocity of the noisy fine values, given the coarse ones.

    Weather is smooth: most of the patterns that the points of a block could form hardly occur, and
    of these the noisy values hold noise alone, so that the prediction is a multiple of them. It
    goes past the hidden layers, in a share that the timestep decides. Through them, noise would
    arrive blurred, and what they left of it made drawn fields three times as rough as the truth.
    """

    # It knows its block, of which crops are made, and nothing beside it.
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
