"""The deep U-Net that diffusers builds."""

import pytest
import torch

from stormdraw.models.networks.deep_unet import Network, Options


@pytest.mark.parametrize("shape", [(8, 12), (7, 9), (3, 2)])
@pytest.mark.parametrize("attention", [False, True])
def test_any_height_and_width(shape: tuple[int, int], attention: bool) -> None:
    network = Network(3, 4, Options(channels=[8, 16, 16], blocks=1, attention=attention))
    out = network(torch.randn(2, 3, *shape), torch.randn(2, 4, *shape), torch.tensor([0, 999]))
    assert out.shape == (2, 3, *shape)
    assert torch.isfinite(out).all()


def test_output_depends_on_every_input() -> None:
    torch.manual_seed(0)
    network = Network(3, 4, Options(channels=[8, 16], blocks=1)).eval()
    noisy = torch.randn(1, 3, 6, 6, requires_grad=True)
    condition = torch.randn(1, 4, 6, 6, requires_grad=True)
    early = network(noisy, condition, torch.tensor([3]))
    early.square().sum().backward()
    for given in (noisy, condition):
        assert given.grad is not None
        assert (given.grad.abs().amax(dim=(0, 2, 3)) > 0).all()
    assert not torch.allclose(network(noisy, condition, torch.tensor([900])), early, atol=1e-4)


def test_blocks_are_all_residual_blocks() -> None:
    # Two a level down, three a level up, two in the middle.
    network = Network(3, 4, Options(channels=[8, 16, 16], blocks=2))
    assert len(network.blocks()) == 3 * 2 + 3 * 3 + 2
