"""The residual U-Net in each of its roles."""

from typing import Any

import pytest
import torch
from torch import nn

from stormdraw.models.families import Role
from stormdraw.models.families.residual_unet import Options
from stormdraw.models.registry import build_network
from stormdraw.models.residual import ResidualBlock
from stormdraw.models.white_noise import torch_noise
from stormdraw.models.window_attention import WindowAttention

VARIABLES, CHANNELS = 3, 5
ROLES: list[Role] = ["denoiser", "generator", "regressor"]


def make(role: Role, trained: bool = True, **options: Any) -> Any:
    """A network; `trained` ones have no weights of zero."""
    torch.manual_seed(0)
    checked = Options(**{"width": 8, "depth": 2, **options})
    network = build_network("residual_unet", checked, VARIABLES, CHANNELS, VARIABLES, role).eval()
    for weights in network.parameters():
        if trained and weights.abs().max() == 0.0:
            nn.init.normal_(weights, std=0.1)
    return network


def called(network: Any, role: Role, condition: torch.Tensor) -> torch.Tensor:
    """What it makes of a condition, and of a noisy state or noise which are the same everywhere."""
    size, shape = len(condition), condition.shape[-2:]
    noisy = torch.full((size, VARIABLES, *shape), 0.3)
    if role == "denoiser":
        return network(noisy, condition, torch.full((size,), 400))
    if role == "generator":
        return network(condition, torch.full((size, 8, *shape), 0.4))
    return network(condition)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("shape", [(16, 24), (17, 23), (3, 2), (1, 1)])
def test_any_height_and_width(role: Role, shape: tuple[int, int]) -> None:
    network = make(role, attention=2, displacements=2)
    out = called(network, role, torch.randn(2, CHANNELS, *shape))
    assert out.shape == (2, VARIABLES, *shape)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("role", ROLES)
def test_nothing_changes_before_training(role: Role) -> None:
    # The target is then 0: for a residual, that nothing but the mean change happens.
    out = called(make(role, trained=False), role, torch.randn(2, CHANNELS, 9, 10))
    assert (out == 0.0).all()


def test_residual_branches_begin_as_the_identity() -> None:
    network = make("regressor", trained=False, attention=2)
    kinds = (ResidualBlock, WindowAttention)
    residual = [part for part in network.blocks() if isinstance(part, kinds)]
    assert len(residual) == 2 * (1 + 2 + 1) + 2
    for block in residual:
        norm = next(part for part in block.modules() if isinstance(part, nn.LayerNorm))
        x = torch.randn(1, norm.weight.numel(), 4, 4)
        torch.testing.assert_close(block(x), x, rtol=0, atol=0)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("shape", [(24, 32), (21, 27)])
def test_a_field_that_is_the_same_everywhere_stays_so_up_to_the_edge(
    role: Role, shape: tuple[int, int]
) -> None:
    network = make(role, attention=2, displacements=4)
    condition = torch.randn(1, CHANNELS, 1, 1).expand(1, CHANNELS, *shape)
    out = called(network, role, condition)
    middle = out[..., 12:13, 12:13]
    assert middle.abs().max() > 0.1
    torch.testing.assert_close(out, middle.expand_as(out), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("role", ROLES)
def test_every_input_counts(role: Role) -> None:
    network = make(role)
    condition = torch.randn(1, CHANNELS, 12, 12, requires_grad=True)
    other = {"denoiser": VARIABLES, "generator": 8, "regressor": 0}[role]
    given = torch.randn(1, other, 12, 12, requires_grad=True)
    calls = {
        "denoiser": lambda: network(given, condition, torch.tensor([10])),
        "generator": lambda: network(condition, given),
        "regressor": lambda: network(condition),
    }
    out = calls[role]()
    out.square().sum().backward()
    for one in (condition, given)[: 1 + (other > 0)]:
        assert one.grad is not None
        assert (one.grad.abs().amax(dim=(0, 2, 3)) > 0).all()


def test_the_timestep_counts() -> None:
    network = make("denoiser")
    noisy, condition = torch.randn(1, VARIABLES, 8, 8), torch.randn(1, CHANNELS, 8, 8)
    early, late = (network(noisy, condition, torch.tensor([step])) for step in (3, 900))
    assert (early - late).abs().max() > 1e-3


def test_members_differ_by_their_noise_and_samples_of_a_batch_do_not_see_each_other() -> None:
    network = make("generator", attention=2, displacements=2)
    condition = torch.randn(1, CHANNELS, 13, 14).expand(3, -1, -1, -1)
    noise = network.draw_noise(torch_noise(3, torch.Generator().manual_seed(1)), (13, 14))
    together = network(condition, noise)
    assert together.std(dim=0).min() > 0.0
    for index in range(3):
        alone = network(condition[[index]], noise[[index]])
        torch.testing.assert_close(together[[index]], alone, rtol=1e-4, atol=1e-5)


def test_noise_is_white_on_every_level() -> None:
    network = make("generator", depth=3)
    told = []
    for side in network.before:
        side.blocks[0].register_forward_pre_hook(lambda _, given: told.append(given[1]))
    white = torch_noise(200, torch.Generator().manual_seed(2))
    # Of sides that cannot be halved three times.
    noise = network.draw_noise(white, (13, 22))
    with torch.no_grad():
        network(torch.zeros(200, CHANNELS, 13, 22), noise)
    assert [tuple(field.shape[-2:]) for field in told] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    for field in told:
        # 200 x 8 x 6 numbers at least: a standard error of 1.5 % of the variance.
        assert field.var().item() == pytest.approx(1.0, abs=0.06)
        neighbours = (field[..., 1:] * field[..., :-1]).mean().item()
        assert abs(neighbours) < 0.06


def test_every_convolution_of_more_than_a_point_repeats_the_edge() -> None:
    layers = [part for part in make("generator", displacements=4).modules() if is_wide(part)]
    assert len(layers) == 2 + 2 * (1 + 2 + 1) * 2 + 1
    assert {layer.padding_mode for layer in layers} == {"replicate"}


def is_wide(layer: nn.Module) -> bool:
    """Whether a layer reads points beside each point, and so beyond the edge."""
    return isinstance(layer, nn.Conv2d) and layer.padding != (0, 0)


def test_moved_features_reach_the_forecast() -> None:
    network = make("regressor", displacements=4)
    condition = torch.randn(1, CHANNELS, 16, 16)
    still = network(condition)
    with torch.no_grad():
        network.join[0].carry.displacement.bias[0] = 3.0  # the first group, three points along x
    assert (network(condition) - still).abs().max() > 1e-3


def count(**options: Any) -> int:
    with torch.device("meta"):
        network = build_network("residual_unet", Options(**options), 7, 25, 7, "generator")
    return sum(weights.numel() for weights in network.parameters())


def test_width_and_depth_span_300_thousand_to_300_million_parameters() -> None:
    assert count(width=16, depth=2) < 0.3e6
    assert 20e6 < count(width=64, depth=5) < 30e6
    assert count(width=192, depth=6) > 300e6


def test_looks_300_km_far_on_a_grid_of_3_km() -> None:
    network = make("generator", depth=3)
    assert network.context >= 100
    row = 152
    condition = torch.randn(1, CHANNELS, 2 * row, 2 * row).requires_grad_()
    noise = torch.randn(1, 8, 2 * row, 2 * row)
    network(condition, noise)[0, :, row, row].sum().backward()
    assert condition.grad is not None
    counts = condition.grad[0].abs().amax(dim=0) > 0.0
    for axis in (0, 1):
        places = counts.any(dim=1 - axis).nonzero().flatten()
        assert row - places.min() >= 100
        assert places.max() - row >= 100


def test_a_smaller_network_has_half_the_width() -> None:
    smaller = Options(width=24, depth=4).smaller()
    assert smaller is not None
    assert (smaller.width, smaller.depth) == (8, 4)
    assert Options(width=8).smaller() is None


def test_attention_on_the_full_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="attention is 2, but only 1 levels"):
        Options(depth=1, attention=2)
