"""Frames through a shared encoder, mixed over time at each point."""

import pytest
import torch

from stormdraw.models.networks.cnn_transformer import Network, Options, TemporalLayer


def make(frames: int = 3, forcings: int = 1) -> Network:
    torch.manual_seed(0)
    return Network(2, 2 * frames + forcings, Options(channels=[32, 64], frames=frames, layers=2))


@pytest.mark.parametrize("shape", [(8, 10), (7, 9), (2, 3)])
@pytest.mark.parametrize("forcings", [0, 4])
def test_any_height_and_width(shape: tuple[int, int], forcings: int) -> None:
    out = make(forcings=forcings)(torch.randn(2, 6 + forcings, *shape))
    assert out.shape == (2, 2, *shape)
    assert torch.isfinite(out).all()


def test_every_frame_counts_and_their_order_too() -> None:
    network = make().eval()
    condition = torch.randn(1, 7, 8, 8, requires_grad=True)
    out = network(condition)
    out.square().sum().backward()
    assert condition.grad is not None
    assert (condition.grad.abs().amax(dim=(0, 2, 3)) > 0).all()
    swapped = condition.detach().clone()
    swapped[:, :2], swapped[:, 2:4] = condition[:, 2:4].detach(), condition[:, :2].detach()
    assert not torch.allclose(network(swapped), out, atol=1e-4)


def test_attention_equals_torchs() -> None:
    torch.manual_seed(3)
    layer = TemporalLayer(64)
    tokens = torch.randn(2, 5, 12, 64)
    attention = torch.nn.MultiheadAttention(64, layer.heads, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.copy_(layer.queries_keys_values.weight)
        attention.in_proj_bias.copy_(layer.queries_keys_values.bias)
        attention.out_proj.load_state_dict(layer.mixed.state_dict())
    sequences = tokens.transpose(1, 2).flatten(0, 1)  # (B points, T, C)
    normed = layer.attention_norm(sequences)
    expected = sequences + attention(normed, normed, normed)[0]
    expected = expected + layer.feed_forward(expected)
    ours = layer(tokens).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_points_are_mixed_by_convolutions_only() -> None:
    layer = TemporalLayer(32)
    tokens = torch.randn(1, 3, 4, 32, requires_grad=True)
    layer(tokens)[0, :, 0].sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad[0, :, 0] != 0).any()
    assert (tokens.grad[0, :, 1:] == 0).all()


def test_encoding_frame_by_frame_equals_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, condition = make(forcings=2), torch.randn(2, 8, 9, 10)
    together = network(condition)
    monkeypatch.setattr("stormdraw.models.parts.AT_ONCE", 7)
    with torch.inference_mode():
        torch.testing.assert_close(network(condition), together, rtol=1e-5, atol=1e-5)
