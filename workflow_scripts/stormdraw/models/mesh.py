"""A mesh of several scales over a grid, for graph networks (as in GraphCast: Lam et al. 2023)."""

from dataclasses import dataclass

import torch

# Steps from a mesh node to its eight neighbours, (dy, dx).
_STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


@dataclass(frozen=True)
class Mesh:
    """The edges between P grid points and N mesh nodes, and the E edges among the mesh nodes.

    `nearest` (P,) is the nearest mesh node of each grid point and `nearest_offsets` (P, 2) the
    offset to it, (y, x) in spacings; `grid_points` (N, 1) counts the grid points of a node.
    `corners` (4, P) are the mesh nodes around each grid point, with `corner_offsets` (4, P, 2). A
    mesh edge goes from `senders` to `receivers` (E,) with `edge_features` (E, 3): direction (y, x)
    and level.
    """

    nearest: torch.Tensor
    nearest_offsets: torch.Tensor
    grid_points: torch.Tensor
    corners: torch.Tensor
    corner_offsets: torch.Tensor
    senders: torch.Tensor
    receivers: torch.Tensor
    edge_features: torch.Tensor

    @property
    def nodes(self) -> int:
        """The number of mesh nodes."""
        return len(self.grid_points)


def mesh_over(rows: int, columns: int, spacing: int, levels: int, device: torch.device) -> Mesh:
    """A mesh with a node at every `spacing`-th point of a grid, and one row and column beyond it.

    Level k links nodes 2^k steps apart whose indices are multiples of 2^k. All levels share the
    nodes of the finest, so that a message crosses the domain in a few steps. The mesh is made on
    the device by operations whose shapes do not depend on data, so nothing is copied and
    torch.compile includes it in its graph.
    """
    y, x = _Axis.of(rows, spacing, device), _Axis.of(columns, spacing, device)
    width = x.nodes

    def node(row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        """The nodes at the intersections of node rows (A,) and node columns (B,), (A B,)."""
        return (row[:, None] * width + column).flatten()

    def way(row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        """Offsets along y (A,) and x (B,) as (A B, 2)."""
        return torch.stack(torch.broadcast_tensors(row[:, None], column), dim=-1).flatten(0, 1)

    around = [(dy, dx) for dy in (0, 1) for dx in (0, 1)]
    senders, receivers, features = _edges(y.nodes, width, levels, device)
    return Mesh(
        nearest=node(y.nearest, x.nearest),
        nearest_offsets=way(y.nearest - y.place, x.nearest - x.place),
        grid_points=(y.points()[:, None] * x.points()).flatten()[:, None],
        corners=torch.stack([node(y.below + dy, x.below + dx) for dy, dx in around]),
        corner_offsets=torch.stack(
            [way(y.below + dy - y.place, x.below + dx - x.place) for dy, dx in around]
        ),
        senders=senders,
        receivers=receivers,
        edge_features=features,
    )


@dataclass(frozen=True)
class _Axis:
    """Points along an axis, each (points,): position in spacings, and the nodes around them."""

    nodes: int
    place: torch.Tensor
    nearest: torch.Tensor
    below: torch.Tensor

    @classmethod
    def of(cls, points: int, spacing: int, device: torch.device) -> "_Axis":
        """A point half-way between two nodes belongs to the second."""
        index = torch.arange(points, device=device)
        nearest = torch.div(2 * index + spacing, 2 * spacing, rounding_mode="floor")
        below = torch.div(index, spacing, rounding_mode="floor")
        return cls(-(-points // spacing) + 1, index / spacing, nearest, below)

    def points(self) -> torch.Tensor:
        """The number of points that belong to each node, (nodes,)."""
        nodes = torch.arange(self.nodes, device=self.nearest.device)
        return (self.nearest[:, None] == nodes).sum(dim=0).float()


def _edges(
    height: int, width: int, levels: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Senders, receivers (E,) and features (E, 3) of the edges among height x width nodes."""
    nodes = torch.arange(height * width, device=device).unflatten(0, (height, width))
    senders, receivers, features = [], [], []
    for level in range(levels):
        at = nodes[:: 2**level, :: 2**level]
        for dy, dx in _STEPS:
            senders.append(_inside(at, -dy, -dx))
            receivers.append(_inside(at, dy, dx))
            # Filled on the device: a tensor of these numbers would have to be copied there.
            same = (senders[-1].numel(),)
            each = [
                torch.full(same, v, device=device) for v in (float(dy), float(dx), level / levels)
            ]
            features.append(torch.stack(each, dim=-1))
    return torch.cat(senders), torch.cat(receivers), torch.cat(features)


def _inside(at: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    """The nodes of (A, B) that have a node at (-dy, -dx) from them, flattened row by row."""
    rows, columns = at.shape
    return at[max(dy, 0) : rows + min(dy, 0), max(dx, 0) : columns + min(dx, 0)].flatten()
