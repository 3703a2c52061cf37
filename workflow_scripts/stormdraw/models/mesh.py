"""A mesh of several scales over a grid, for graph networks (as GraphCast's: Lam et al. 2023)."""

import functools
from dataclasses import dataclass

import numpy as np
import torch

# Steps from a mesh node to its eight neighbours, (dy, dx).
_STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


@dataclass(frozen=True)
class Mesh:
    """The edges between P grid points and N mesh nodes, and E among the mesh nodes.

    `nearest` (P,) is the mesh node of each grid point and `nearest_offsets` (P, 2) the way there,
    (y, x) in spacings; `grid_points` (N, 1) counts the grid points of a node. `corners` (4, P) are
    the mesh nodes around each grid point, with `corner_offsets` (4, P, 2). An edge of the mesh goes
    from `senders` to `receivers` (E,) with `edge_features` (E, 3): direction (y, x) and level.
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
        """How many mesh nodes there are."""
        return len(self.grid_points)


def mesh_over(rows: int, columns: int, spacing: int, levels: int, device: torch.device) -> Mesh:
    """A mesh with a node at every `spacing`-th point of a grid, and one row and column beyond it.

    Level k links nodes 2^k steps apart whose indices are multiples of 2^k; all levels share the
    nodes of the finest, so that a message crosses the domain in a few steps.
    """
    arrays = _arrays(rows, columns, spacing, levels)
    return Mesh(**{name: torch.from_numpy(array).to(device) for name, array in arrays.items()})


# Not the tensors: made while memory is planned, they would hold no data.
@functools.lru_cache(maxsize=4)
def _arrays(rows: int, columns: int, spacing: int, levels: int) -> dict[str, np.ndarray]:
    """What a Mesh holds, by name."""
    height, width = -(-rows // spacing) + 1, -(-columns // spacing) + 1

    def points(height: int, width: int, step: int = 1) -> np.ndarray:
        """Every `step`-th row and column, (points, 2)."""
        return np.array(np.mgrid[:height:step, :width:step]).reshape(2, -1).T

    def node(index: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(index[..., 0] * width + index[..., 1])

    place = points(rows, columns) / spacing  # (P, 2)
    nearest = np.floor(place + 0.5).astype(np.int64)
    below = np.floor(place).astype(np.int64)
    corners = np.stack([below + np.array([dy, dx]) for dy in (0, 1) for dx in (0, 1)])  # (4, P, 2)
    senders, receivers, features = [], [], []
    for level in range(levels):
        step = 2**level
        at = points(height, width, step)
        for direction in _STEPS:
            to = at + step * np.array(direction)
            inside = ((to >= 0) & (to < (height, width))).all(axis=1)
            senders.append(node(at[inside]))
            receivers.append(node(to[inside]))
            features.append(np.tile([*direction, level / levels], (int(inside.sum()), 1)))
    counts = np.bincount(node(nearest), minlength=height * width)
    return {
        "nearest": node(nearest),
        "nearest_offsets": (nearest - place).astype(np.float32),
        "grid_points": counts[:, None].astype(np.float32),
        "corners": node(corners),
        "corner_offsets": (corners - place).astype(np.float32),
        "senders": np.concatenate(senders),
        "receivers": np.concatenate(receivers),
        "edge_features": np.concatenate(features).astype(np.float32),
    }
