"""Every family's network runs on its device alone, and is one graph to torch.compile, on any grid,
with recomputed activations and in half precision: a break is a launch from Python, and CUDA graphs
end there."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stormdraw.models.execution import recompute_activations
from stormdraw.models.families import Role
from stormdraw.models.registry import build_network, families, options_of
from stormdraw.models.white_noise import torch_noise

VARIABLES, CHANNELS, GRID = 3, 7, (17, 14)

OPTIONS: dict[str, dict[str, Any]] = {
    "block_mlp": {"block": 4, "hidden": 16},
    "cnn_transformer": {"channels": [32, 32], "frames": 2, "layers": 1},
    "conditional_unet": {"base_channels": 8},
    "deep_unet": {"channels": [16, 16], "blocks": 1},
    "gnn": {"latent": 8, "layers": 1, "spacing": 3, "scales": 2},
    "residual_unet": {"width": 8, "depth": 1, "displacements": 2},
    "stochastic_unet": {"channels": [16, 32], "noise_scales": [1, 4], "displacements": 2},
    # Patches of another grid, whose positions are interpolated.
    "transformer": {
        **{"positions": [2, 2], "patch": 8, "hidden": 16},
        **{"layers": 1, "heads": 2, "feed_forward": 16},
    },
}


# Every family in every role.
ROLES = [(family, role) for family in OPTIONS for role in options_of(family).roles]


def build(family: str, role: Role) -> torch.nn.Module:
    """A small network of a family, after some training."""
    options = options_of(family).model_validate(OPTIONS[family])
    network = build_network(family, options, VARIABLES, CHANNELS, VARIABLES, role)
    # Layers that begin at zero would hide what the others do.
    for weights in network.parameters():
        if not weights.is_meta and weights.abs().max() == 0.0:
            torch.nn.init.normal_(weights, std=0.02)
    return network


def inputs(role: Role, network: Any) -> tuple[torch.Tensor, ...]:
    """What a network of each role is called with; see registry.py."""
    random = torch.Generator().manual_seed(1)
    condition = torch.randn(1, CHANNELS, *GRID, generator=random)
    noisy = torch.randn(1, VARIABLES, *GRID, generator=random)
    blocks = torch.randn(5, 1, 4, 4, generator=random)
    coarse, timestep = torch.randn(5, CHANNELS, generator=random), torch.tensor([7])
    return {
        "denoiser": lambda: (noisy, condition, timestep),
        "regressor": lambda: (condition,),
        "generator": lambda: (condition, network.draw_noise(torch_noise(1, random), GRID)),
        "downscaler": lambda: (blocks, coarse, timestep.expand(5)),
    }[role]()


def test_every_family_is_here() -> None:
    assert sorted(OPTIONS) == families()


# Those with little to trace; the others take seconds each.
QUICK = ("block_mlp", "gnn", "transformer")


@pytest.mark.parametrize(
    ("family", "role"),
    [
        pytest.param(name, role, marks=() if name in QUICK else pytest.mark.slow)
        for name, role in ROLES
    ],
)
def test_a_network_is_one_graph(family: str, role: Role) -> None:
    torch.manual_seed(0)
    network: Any = build(family, role)
    given = inputs(role, network)
    recompute_activations(network, 1.0)
    torch._dynamo.reset()
    # Dynamo alone finds the graph; `fullgraph` makes a break an error.
    whole = torch.compile(network, backend="eager", fullgraph=True)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(whole(*given), network(*given), rtol=0.02, atol=0.02)
    with torch.no_grad():
        torch.testing.assert_close(whole(*given), network(*given), rtol=1e-4, atol=1e-5)


class Devices(TorchDispatchMode):
    """Collects the devices of all tensors that operations take and give."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs, result))
        self.found |= {leaf.device.type for leaf in leaves if torch.is_tensor(leaf)}
        return result


@pytest.mark.parametrize(("family", "role"), ROLES)
def test_a_pass_copies_nothing_to_the_device(family: str, role: Role) -> None:
    with torch.device("meta"):
        network: Any = build(family, role)
    given = [one.to("meta") for one in inputs(role, network)]
    with Devices() as devices:
        network(*given)
    assert devices.found == {"meta"}
