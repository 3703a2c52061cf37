"""The mesh over a grid, counted and walked by hand."""

import itertools

import torch

from stormdraw.models.mesh import mesh_over

CPU = torch.device("cpu")


def test_nodes_and_nearest_by_hand() -> None:
    # 4 x 3 points with a node at every second: rows 0 2 4, columns 0 2 4 of nodes.
    mesh = mesh_over(4, 3, 2, 1, CPU)
    assert mesh.nodes == 9
    # A point half-way belongs to the node after it.
    by_row = mesh.nearest.reshape(4, 3).tolist()
    assert by_row == [[0, 1, 1], [3, 4, 4], [3, 4, 4], [6, 7, 7]]
    assert mesh.grid_points.flatten().tolist() == [1, 2, 0, 2, 4, 0, 1, 2, 0]
    # The point (1, 1) lies in the middle of the nodes 0, 1, 3 and 4.
    assert mesh.corners[:, 4].tolist() == [0, 1, 3, 4]
    ways = [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]
    assert mesh.corner_offsets[:, 4].tolist() == ways


def test_edges_of_every_level() -> None:
    # 5 x 5 nodes: 8 neighbours inside, and 3 x 3 nodes two apart, 2 x 2 nodes four apart.
    mesh = mesh_over(8, 8, 2, 3, CPU)
    expected = set()
    for step in (1, 2, 4):
        at = range(0, 5, step)
        for (y, x), (v, u) in itertools.permutations(itertools.product(at, at), 2):
            if max(abs(y - v), abs(x - u)) == step:
                expected.add((5 * y + x, 5 * v + u))
    edges = list(zip(mesh.senders.tolist(), mesh.receivers.tolist(), strict=True))
    assert len(edges) == len(set(edges))
    assert set(edges) == expected
    # Features: the direction, and the level as a share of the levels.
    first = mesh.edge_features[edges.index((0, 6))].tolist()
    assert first == [1.0, 1.0, 0.0]
    coarse = mesh.edge_features[edges.index((12, 10))].tolist()
    torch.testing.assert_close(coarse, [0.0, -1.0, 1 / 3], rtol=0, atol=1e-6)
