"""Features moved by displacements that a network predicts: a semi-Lagrangian step.

In one hour the wind carries storms and air masses over ten or more points of a 3 km grid.
Convolutions of 3 x 3 points move a fine pattern that far only through many layers, or through
coarse levels that blur it. Here each point looks up what lay upstream of it, as in the
semi-Lagrangian schemes of weather models (Staniforth and Cote 1991) and in nowcasting networks
(Zhang et al. 2023, NowcastNet).
"""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families import Norm
from stormdraw.models.norms import make_norm

# The largest displacement in points: 72 km in an hour on HRRR's grid, or 20 m/s. Without a bound,
# displacements can run off the grid, where they get no gradient and stay.
REACH = 24.0


class Advection(nn.Module):
    """Moves features of a fine level by displacements predicted from the next coarser level.

    The channels form `groups` of equal size. Each group has its own displacement at every point,
    since storms, air masses and cold pools move differently. Before training nothing moves. Beyond
    the edge of the grid, the guide is zero or, with `edges` of `replicate`, as on the edge.
    """

    def __init__(
        self,
        guide_channels: int,
        groups: int,
        norm: Norm,
        edges: Literal["zeros", "replicate"] = "zeros",
    ) -> None:
        super().__init__()
        self.groups = groups
        # Features of residual blocks can grow without bound, and displacements would grow with
        # them.
        self.norm = make_norm(norm, guide_channels)
        self.displacement = nn.Conv2d(guide_channels, 2 * groups, 3, padding=1, padding_mode=edges)
        nn.init.zeros_(self.displacement.weight)
        nn.init.zeros_(self.displacement.bias)  # type: ignore[arg-type]

    def forward(self, features: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        """features (B, C, Y, X), guide (B, D, Y/2, X/2) -> (B, C, Y, X)."""
        found = self.displacement(functional.silu(self.norm(guide))).float()
        bounded = REACH * torch.tanh(found / REACH)
        displacement = functional.interpolate(
            bounded, size=features.shape[-2:], mode="bilinear", align_corners=False
        )
        return upstream(features, displacement)


def upstream(features: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """The value at each point's upstream point by bilinear interpolation, (B, C, Y, X).

    `features` are (B, C, Y, X); `displacement` is (B, 2 G, Y, X) in points: first along x for each
    of the G groups of channels, then along y. A point (y, x) takes the value at (y - dy, x - dx),
    or that of the nearest grid point if this lies outside the grid.
    """
    batch, _, height, width = features.shape
    along_x, along_y = displacement.chunk(2, dim=1)  # (B, G, Y, X) each
    groups = along_x.shape[1]
    rows = torch.arange(height, device=features.device, dtype=displacement.dtype)
    columns = torch.arange(width, device=features.device, dtype=displacement.dtype)
    # grid_sample counts from -1 at the first point to 1 at the last.
    x = (columns - along_x) * (2.0 / max(width - 1, 1)) - 1.0
    y = (rows[:, None] - along_y) * (2.0 / max(height - 1, 1)) - 1.0
    points = torch.stack([x, y], dim=-1).flatten(0, 1)  # (B G, Y, X, 2)
    grouped = features.unflatten(1, (groups, -1)).flatten(0, 1)  # (B G, C / G, Y, X)
    moved = functional.grid_sample(
        grouped.to(points.dtype), points, mode="bilinear", padding_mode="border", align_corners=True
    )
    return moved.unflatten(0, (batch, groups)).flatten(1, 2).to(features.dtype)
