"""The vision transformer."""

import pytest
import torch
from pydantic import ValidationError
from synthetic_hours import make_model_settings

from stormdraw.models.networks.transformer import Layer, Network, Options


def options(**changes: int | list[int]) -> Options:
    return Options(
        **{"positions": [3, 4], "patch": 4, "hidden": 16, "layers": 2, "heads": 2}
        | {"feed_forward": 32}
        | changes
    )


@pytest.mark.parametrize("shape", [(12, 16), (11, 13), (24, 9)])
def test_any_height_and_width(shape: tuple[int, int]) -> None:
    out = Network(2, 3, options())(torch.randn(2, 3, *shape))
    assert out.shape == (2, 2, *shape)
    assert torch.isfinite(out).all()


def test_patches_come_out_where_they_went_in() -> None:
    network = Network(2, 3, options(layers=1))
    # Without blocks and positions each patch sees itself only.
    network.layers = torch.nn.ModuleList()
    condition = torch.randn(1, 3, 12, 16, requires_grad=True)
    network(condition)[0, :, 5, 9].sum().backward()
    assert condition.grad is not None
    seen = condition.grad.abs().amax(dim=(0, 1)) > 0
    expected = torch.zeros(12, 16, dtype=torch.bool)
    expected[4:8, 8:12] = True
    assert torch.equal(seen, expected)


def test_layer_equals_torchs() -> None:
    torch.manual_seed(1)
    ours = Layer(options())
    theirs = torch.nn.TransformerEncoderLayer(
        16, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(ours.queries_keys_values.weight)
        theirs.self_attn.in_proj_bias.copy_(ours.queries_keys_values.bias)
        theirs.self_attn.out_proj.load_state_dict(ours.mixed.state_dict())
        theirs.linear1.load_state_dict(ours.feed_forward[1].state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward[3].state_dict())
    tokens = torch.randn(2, 6, 16)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-4, atol=1e-5)


def test_positions_are_distinguished() -> None:
    network = Network(1, 1, options()).eval()
    flat = network(torch.ones(1, 1, 12, 16))
    assert not torch.allclose(flat[..., :4, :4], flat[..., 4:8, :4], atol=1e-5)


def test_heads_that_do_not_divide_are_an_error() -> None:
    given = {"positions": [133, 225], "hidden": 4400, "layers": 1, "feed_forward": 17600}
    with pytest.raises(ValidationError, match="hidden is 4400, which 64 heads do not divide"):
        Options.model_validate({**given, "heads": 64})


def test_positions_are_not_learned_from_crops() -> None:
    network = {"positions": [2, 2], "hidden": 16, "layers": 1, "heads": 2, "feed_forward": 16}
    with pytest.raises(ValidationError, match=r"crop is given.* transformer learns weights for"):
        make_model_settings(
            {"crop": [8, 8]},
            family="transformer",
            network=network,
            prediction="target",
            target="next_state",
            forcings=[],
        )
