"""How far networks look: what lies farther away does not count, and crops come out as the grid."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from stormdraw.models.families import Role
from stormdraw.models.registry import build_network, families, options_of

VARIABLES, FRAMES = 3, 2

# Small networks of each family that looks at a part of the grid only, and how far: what each layer
# looks, added up by hand. A residual block looks 2 points far, and a level above another one twice
# as far as that and 3 points more.
NETWORKS: dict[str, tuple[str, dict[str, Any], int]] = {
    # leave 1 + merge 2 + (2 x 6 + 3) + fine 2.
    "conditional": ("conditional_unet", {"base_channels": 8}, 20),
    "stochastic": ("stochastic_unet", {"channels": [8, 8], "noise_scales": [1, 4]}, 20),
    # leave 1 + 2 + (2 x 19 + 3) + 2, and 2 more for the convolution that finds displacements.
    "three levels": ("stochastic_unet", {"channels": [8, 8, 8], "noise_scales": [1]}, 46),
    "carried": (
        "stochastic_unet",
        {"channels": [8, 8, 8], "noise_scales": [1], "displacements": 2},
        48,
    ),
    # Displacements of 24 points are the farthest: leave 1 + merge 2 + 24 + fine 2.
    "carried far": (
        "stochastic_unet",
        {"channels": [8, 8], "noise_scales": [1], "displacements": 2},
        29,
    ),
    # leave 1 + 2 + (2 x 2 + 3) + 2 + enter 1.
    "frames": ("cnn_transformer", {"channels": [32, 32], "frames": FRAMES, "layers": 1}, 13),
    # out 1 + 4 + (2 x (2 + 4 + 4) + 3) + 2 + in 1.
    "deep": ("deep_unet", {"channels": [8, 16], "blocks": 1}, 31),
    # enter 1 + leave 1 + (2 + 2) + 2 between levels + twice the blocks below, 2 + 2.
    "residual": ("residual_unet", {"width": 8, "depth": 1, "attention": 0}, 2 + 4 + 2 + 8),
    # Attention looks 5 points far: 3 in its block of 4 and 2 around.
    "attention": ("residual_unet", {"width": 8, "depth": 1}, 2 + 4 + 2 + 18),
    # One more convolution finds displacements on the second level, which looks 4 + 2 + 2 x 4 + 4
    # far.
    "residual, carried": (
        "residual_unet",
        {"width": 8, "depth": 2, "attention": 0, "displacements": 2},
        2 + 4 + 2 + 2 * (18 + 1),
    ),
    # A corner 3 points away, two layers of edges of 6 points, and a point next to the last node.
    "graph": ("gnn", {"latent": 8, "layers": 2, "spacing": 3, "scales": 2}, 3 + 12 + 1),
}


def make(family: str, options: dict[str, Any]) -> tuple[nn.Module, Callable[..., torch.Tensor]]:
    """A network, and how it is called with all that it is given, (1, C, y, x).

    The noisy state or the noise stands before the condition.
    """
    torch.manual_seed(1)
    known = options_of(family)
    local = {"norm": "local"} if "norm" in known.model_fields else {}
    checked = known.model_validate({**local, **options})
    role = role_of(family)
    network = build_network(family, checked, VARIABLES, FRAMES * VARIABLES, VARIABLES, role)
    # Layers that begin at zero would hide how far the others look.
    for weights in network.parameters():
        if weights.abs().max() == 0.0:
            nn.init.normal_(weights, std=0.5)

    def call(given: torch.Tensor) -> torch.Tensor:
        first, condition = given[:, : -FRAMES * VARIABLES], given[:, -FRAMES * VARIABLES :]
        calls: dict[str, Callable[[], torch.Tensor]] = {
            "denoiser": lambda: network(first, condition, torch.tensor([300])),
            "generator": lambda: network(condition, first),
            "regressor": lambda: network(condition),
        }
        return calls[role]()

    return network, call


def role_of(family: str) -> Role:
    """Families with several roles are generators here."""
    roles = options_of(family).roles
    return roles[0] if len(roles) == 1 else "generator"


def channels_of(family: str, options: dict[str, Any]) -> int:
    noises = len(options.get("noise_scales", range(8)))
    before = {"denoiser": VARIABLES, "generator": noises, "regressor": 0}
    return before[role_of(family)] + FRAMES * VARIABLES


@pytest.fixture(params=NETWORKS)
def kind(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any], int]:
    return NETWORKS[request.param]


def test_nothing_farther_than_the_context_counts(kind: tuple[str, dict[str, Any], int]) -> None:
    network, call = make(kind[0], kind[1])
    context, multiple = kind[2], network.multiple
    assert network.context == context
    side = 2 * (context + 2 * multiple)
    side += -side % multiple
    farthest = 0
    # Every place a point can have relative to the coarser levels.
    for place in range(multiple):
        row = column = side // 2 // multiple * multiple + place
        given = torch.randn(1, channels_of(*kind[:2]), side, side).requires_grad_()
        call(given)[0, :, row, column].sum().backward()
        assert given.grad is not None
        counts = given.grad[0].abs().amax(dim=0) > 0.0
        for axis, centre in ((0, row), (1, column)):
            places = counts.any(dim=1 - axis).nonzero().flatten()
            farthest = max(farthest, int((places - centre).abs().max()))
    if kind[1].get("displacements") and len(kind[1].get("channels", ())) == 2:
        # Untrained displacements are short.
        assert farthest <= context
    else:
        assert farthest == context


def test_a_point_of_a_crop_equals_that_of_the_whole_grid(
    kind: tuple[str, dict[str, Any], int],
) -> None:
    network, call = make(kind[0], kind[1])
    context, multiple = network.context, network.multiple
    inner = 2 * multiple
    part = 2 * context + inner + -(2 * context + inner) % multiple
    rows, columns = part + 3 * multiple + 1, part + 2 * multiple
    given = torch.randn(1, channels_of(*kind[:2]), rows, columns)
    with torch.no_grad():
        whole = call(given)
        # In the middle, and at a corner of the grid, where a crop lacks nothing on two sides.
        for top, left, known_above in ((multiple, multiple, context), (0, 0, 0)):
            crop = call(given[..., top : top + part, left : left + part])
            seen = slice(known_above, part - context)
            expected = whole[..., top : top + part, left : left + part][..., seen, seen]
            assert crop[..., seen, seen].numel() > 0
            torch.testing.assert_close(crop[..., seen, seen], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("norm", ["local", "group"])
def test_distant_cold_air_does_not_change_a_forecast(norm: str) -> None:
    network, call = make("conditional_unet", {"base_channels": 8, "norm": norm})
    given = torch.randn(1, channels_of("conditional_unet", {}), 24, 90)
    cooled = given.clone()
    cooled[:, VARIABLES + 1, :, 60:] -= 1.5
    with torch.no_grad():
        change = (call(cooled) - call(given)).abs()
    near, far = change[..., 40:], change[..., : 60 - 20]
    assert near.max() > 1e-2
    if norm == "local":
        assert far.max() < 1e-5
    else:
        assert network.context is None
        assert far.max() > 1e-3


def test_attention_and_norms_over_the_field_have_no_finite_context() -> None:
    everywhere = [
        ("deep_unet", {"channels": [8, 16], "blocks": 1, "attention": True}),
        ("deep_unet", {"channels": [8, 16], "blocks": 1, "norm": "group"}),
        ("stochastic_unet", {"channels": [8, 8], "norm": "group"}),
        ("cnn_transformer", {"channels": [32, 32], "frames": FRAMES, "norm": "group"}),
    ]
    for family, options in everywhere:
        assert make(family, options)[0].context is None


def test_every_family_states_its_context() -> None:
    assert {family for family, _, _ in NETWORKS.values()} == set(families()) - {
        "transformer",  # everywhere
        "block_mlp",  # at its block
    }
