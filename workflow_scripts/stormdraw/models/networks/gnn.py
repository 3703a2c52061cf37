"""Encode, process, decode: a graph network on a mesh of several scales over the grid.

The layers are interaction networks (Battaglia et al. 2016) as in MeshGraphNets (Pfaff et al. 2021)
and GraphCast (Lam et al. 2023), written with plain gathers and sums: on a regular grid the graph is
known in closed form. The first linear layer of an edge is applied to the nodes before they are
gathered, which saves two thirds of its work and memory.
"""

import torch
from torch import nn
from torch.nn import functional

from stormdraw.models.families.gnn import Options
from stormdraw.models.mesh import Mesh, mesh_over
from stormdraw.models.parts import in_parts, parts


class Network(nn.Module):
    """The next state from the current one, on a grid of any size."""

    def __init__(self, variables: int, condition_channels: int, options: Options) -> None:
        super().__init__()
        size = options.latent
        self.spacing, self.scales = options.spacing, options.scales
        longest = 2 ** (options.scales - 1) * options.spacing
        self.multiple = longest
        # From a point to a node at a corner around it, along one edge per layer, and to a point
        # whose nearest node this is.
        self.context = options.spacing + options.layers * longest + (options.spacing - 1) // 2
        self.grid_encoder = mlp(condition_channels, size)
        self.edge_encoder = mlp(3, size)
        self.to_mesh_way = nn.Linear(2, size)
        self.to_mesh = nn.Linear(size, size)
        self.mesh_encoder = mlp(size, size)
        self.layers = nn.ModuleList([InteractionLayer(size) for _ in range(options.layers)])
        self.from_mesh_way = nn.Linear(2, size)
        self.from_mesh = nn.Linear(size, size)
        self.from_grid = nn.Linear(size, size)
        self.grid_decoder = mlp(size, size)
        self.leave = nn.Linear(size, variables)

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """condition (B, C, Y, X) -> (B, V, Y, X)."""
        height, width = condition.shape[-2:]
        mesh = mesh_over(height, width, self.spacing, self.scales, condition.device)
        points = condition.flatten(2).transpose(1, 2)  # (B, P, C)
        grid = in_parts(lambda part: self.grid_encoder(points[:, part]), height * width, dim=1)
        nodes = self._encode(grid, mesh)  # (B, N, H)
        edges = self.edge_encoder(mesh.edge_features).expand(len(grid), -1, -1)  # (B, E, H)
        for layer in self.layers:
            nodes, edges = layer(nodes, edges, mesh)
        forecast = self._decode(grid, nodes, mesh)  # (B, P, V)
        return forecast.transpose(1, 2).unflatten(2, (height, width))

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        return list(self.layers)

    def _encode(self, grid: torch.Tensor, mesh: Mesh) -> torch.Tensor:
        """Mesh nodes (B, N, H): the mean of the messages of their grid points (B, P, H)."""
        received = grid.new_zeros((len(grid), mesh.nodes, grid.shape[2]))
        for part in parts(grid.shape[1]):
            way = self.to_mesh_way(mesh.nearest_offsets[part])
            sent = functional.silu(self.to_mesh(grid[:, part]) + way)
            received = received.index_add(1, mesh.nearest[part], sent.to(received.dtype))
        return self.mesh_encoder(received / mesh.grid_points.clamp(min=1.0))

    def _decode(self, grid: torch.Tensor, nodes: torch.Tensor, mesh: Mesh) -> torch.Tensor:
        """Grid points (B, P, V) from their features and messages of the four nodes around them."""
        sent = self.from_mesh(nodes)

        def decoded(part: slice) -> torch.Tensor:
            own = self.from_grid(grid[:, part])
            received = torch.zeros_like(own)
            # One corner after another: all four at once would take four times the memory.
            for corner, offsets in zip(mesh.corners, mesh.corner_offsets, strict=True):
                way = self.from_mesh_way(offsets[part])
                received = received + functional.silu(own + sent[:, corner[part]] + way)
            return self.leave(grid[:, part] + self.grid_decoder(received))

        return in_parts(decoded, grid.shape[1], dim=1)


class InteractionLayer(nn.Module):
    """Updates edges from their nodes, then nodes from the edges that reach them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.edge = nn.Linear(size, size)
        self.sender = nn.Linear(size, size, bias=False)
        self.receiver = nn.Linear(size, size, bias=False)
        self.edge_out = nn.Sequential(nn.SiLU(), nn.Linear(size, size), nn.LayerNorm(size))
        self.node = nn.Linear(size, size)
        self.message = nn.Linear(size, size, bias=False)
        self.node_out = nn.Sequential(nn.SiLU(), nn.Linear(size, size), nn.LayerNorm(size))

    def forward(
        self, nodes: torch.Tensor, edges: torch.Tensor, mesh: Mesh
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """nodes (B, N, H), edges (B, E, H) -> both, updated."""
        sent, taken = self.sender(nodes), self.receiver(nodes)

        def updated(part: slice) -> torch.Tensor:
            hidden = self.edge(edges[:, part])
            hidden = hidden + sent[:, mesh.senders[part]] + taken[:, mesh.receivers[part]]
            return edges[:, part] + self.edge_out(hidden)

        new_edges = in_parts(updated, edges.shape[1], dim=1)
        received = gathered(new_edges, mesh.receivers, mesh.nodes)
        nodes = nodes + self.node_out(self.node(nodes) + self.message(received))
        return nodes, new_edges


def gathered(sent: torch.Tensor, receivers: torch.Tensor, nodes: int) -> torch.Tensor:
    """The sum of the messages (B, E, H) to each of N nodes, (B, N, H)."""
    received = sent.new_zeros((sent.shape[0], nodes, sent.shape[2]))
    return received.index_add(1, receivers, sent)


def mlp(inputs: int, size: int) -> nn.Sequential:
    """Two linear layers and a norm."""
    return nn.Sequential(
        nn.Linear(inputs, size), nn.SiLU(), nn.Linear(size, size), nn.LayerNorm(size)
    )
