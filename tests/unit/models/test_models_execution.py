"""Precision of norms, recomputation and compiling change how a network runs, not what it says."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from stormdraw.errors import StormdrawError
from stormdraw.models.execution import (
    blocks_of,
    compile_network,
    explained_compilation,
    recompute_activations,
)
from stormdraw.models.networks.conditional_unet import Network, Options, ResidualBlock
from stormdraw.models.registry import build_network


def make() -> Network:
    torch.manual_seed(0)
    return build_network("conditional_unet", Options(base_channels=8), 3, 3, 3)  # type: ignore[return-value]


def inputs() -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(1)
    return *torch.randn(2, 1, 3, 8, 9, generator=random), torch.tensor([7])


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 0), (0.34, 2), (0.5, 3), (1.0, 6)])
def test_a_share_of_the_blocks_recomputes_activations(
    ratio: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A time embedding and five residual blocks: fine, three coarse ones, merging.
    network = make()
    assert sum(isinstance(block, ResidualBlock) for block in blocks_of(network)) == 5
    assert len(blocks_of(network)) == 6
    calls = 0
    linear = nn.functional.linear

    def counted(*arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return linear(*arguments)

    # Every block has one linear layer.
    monkeypatch.setattr(nn.functional, "linear", counted)
    recompute_activations(network, ratio)
    network(*inputs()).square().sum().backward()
    assert calls == 6 + expected
    with torch.no_grad():
        network(*inputs())
    assert calls == 6 + expected + 6


def test_recomputed_gradients_are_the_same() -> None:
    plain, recomputing = make(), make()
    recompute_activations(recomputing, 1.0)
    for network in (plain, recomputing):
        network(*inputs()).square().sum().backward()
    for one, other in zip(plain.parameters(), recomputing.parameters(), strict=True):
        # In single precision, whose sums may be formed in another order the second time.
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-5)
    assert plain.state_dict().keys() == recomputing.state_dict().keys()


def test_a_network_may_name_its_blocks() -> None:
    class Named(nn.Module):
        def blocks(self) -> list[nn.Module]:
            return [layer]

    layer = nn.Linear(2, 2)
    assert blocks_of(Named()) == [layer]


def test_norms_see_single_precision_and_give_half() -> None:
    network = make()
    seen: list[torch.dtype] = []
    norm = network.fine.first_norm
    given: list[torch.dtype] = []
    norm.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].dtype))
    norm.register_forward_hook(lambda module, inputs, output: given.append(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        half = network(*inputs())
    whole = network(*inputs())
    assert seen == [torch.float32, torch.float32]
    assert given == [torch.bfloat16, torch.float32]
    torch.testing.assert_close(half.float(), whole, rtol=0.1, atol=0.05)


def test_a_failed_compilation_says_what_to_do() -> None:
    # As torch raises it, without importing its compiler, which takes seconds.
    failed = type("BackendCompilerFailed", (Exception,), {"__module__": "torch._dynamo.exc"})
    with (
        pytest.raises(
            StormdrawError, match=r"mode default .*no g\+\+.*set training\.compile to none"
        ),
        explained_compilation("small", "default"),
    ):
        raise failed("no g++ here\nand a long traceback")


def test_not_compiled_unless_asked() -> None:
    network = nn.Linear(2, 2)
    compile_network(network, "none")
    assert network._compiled_call_impl is None
    with pytest.raises(ValueError, match="mine"), explained_compilation("small", "default"):
        raise ValueError("mine")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_gives_the_same_outputs_and_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain, compiled = make(), make()
    with explained_compilation("small", "default"):
        compile_network(compiled, "default")
        for network in (plain, compiled):
            network(*inputs()).square().mean().backward()
    torch.testing.assert_close(compiled(*inputs()), plain(*inputs()), rtol=1e-4, atol=1e-5)
    gradients = {name: weights.grad for name, weights in plain.named_parameters()}
    for name, weights in compiled.named_parameters():
        torch.testing.assert_close(weights.grad, gradients[name], rtol=1e-3, atol=1e-5)
