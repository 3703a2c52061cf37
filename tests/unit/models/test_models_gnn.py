"""The graph network: sums over edges as written, and information that travels."""

import pytest
import torch

from stormdraw.models.networks.gnn import InteractionLayer, Network, Options, gathered


def make(**options: int) -> Network:
    torch.manual_seed(0)
    return Network(
        2, 3, Options(**{"latent": 16, "layers": 2, "spacing": 3, "scales": 2} | options)
    )


@pytest.mark.parametrize("shape", [(9, 9), (10, 7), (1, 2)])
def test_any_height_and_width(shape: tuple[int, int]) -> None:
    out = make()(torch.randn(2, 3, *shape))
    assert out.shape == (2, 2, *shape)
    assert torch.isfinite(out).all()


def test_gathered_by_hand() -> None:
    sent = torch.tensor([[[1.0], [2.0], [4.0]]])
    assert gathered(sent, torch.tensor([2, 0, 2]), 3).flatten().tolist() == [2.0, 0.0, 5.0]


def test_layer_equals_its_definition_edge_by_edge() -> None:
    from stormdraw.models.mesh import mesh_over

    torch.manual_seed(1)
    mesh = mesh_over(4, 4, 2, 1, torch.device("cpu"))
    layer = InteractionLayer(8)
    nodes, edges = torch.randn(1, mesh.nodes, 8), torch.randn(1, len(mesh.senders), 8)
    new_nodes, new_edges = layer(nodes, edges, mesh)
    received = torch.zeros(mesh.nodes, 8)
    for index, (i, j) in enumerate(zip(mesh.senders, mesh.receivers, strict=True)):
        # The first linear layer on edge, sender and receiver side by side.
        weight = torch.cat([layer.edge.weight, layer.sender.weight, layer.receiver.weight], dim=1)
        inputs = torch.cat([edges[0, index], nodes[0, i], nodes[0, j]])
        edge = edges[0, index] + layer.edge_out(weight @ inputs + layer.edge.bias)
        torch.testing.assert_close(new_edges[0, index], edge, rtol=1e-4, atol=1e-5)
        received[j] += edge
    node = nodes[0] + layer.node_out(layer.node(nodes[0]) + layer.message(received))
    torch.testing.assert_close(new_nodes[0], node, rtol=1e-4, atol=1e-5)


def test_coarse_edges_carry_further() -> None:
    def reach(scales: int) -> int:
        network = make(scales=scales, layers=1)
        condition = torch.zeros(1, 3, 1, 60, requires_grad=True)
        network(condition)[0, 0, 0, 0].backward()
        assert condition.grad is not None
        return int(condition.grad.abs().amax(dim=(0, 1, 2)).nonzero().max())

    # One layer, spacing 3: a neighbour's points, or those of a node four steps away.
    assert reach(1) < 9 < 12 <= reach(3)


def test_every_weight_learns() -> None:
    network = make()
    network(torch.randn(1, 3, 9, 9)).square().sum().backward()
    # The last layer's edges are of no use but to its nodes.
    assert all(weights.grad is not None for weights in network.parameters())


def test_computing_in_parts_equals_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, condition = make(), torch.randn(2, 3, 10, 7)
    together = network(condition)
    monkeypatch.setattr("stormdraw.models.parts.AT_ONCE", 8)
    with torch.inference_mode():
        torch.testing.assert_close(network(condition), together, rtol=1e-5, atol=1e-5)
