"""The network that draws: every noise another forecast."""

from typing import Any

import pytest
import torch

from stormdraw.models.networks.stochastic_unet import Network, Options
from stormdraw.models.white_noise import torch_noise


def make(**options: Any) -> Network:
    torch.manual_seed(0)
    return Network(3, 5, Options(channels=[8, 16], **options)).eval()


@pytest.mark.parametrize("shape", [(8, 10), (7, 9), (3, 2)])
@pytest.mark.parametrize(
    "options", [Options(channels=[8, 16]), Options(channels=[8, 16, 8], displacements=2)]
)
def test_any_height_and_width(shape: tuple[int, int], options: Options) -> None:
    network = Network(3, 5, options)
    noise = network.draw_noise(torch_noise(2, None), shape)
    out = network(torch.randn(2, 5, *shape), noise)
    assert out.shape == (2, 3, *shape)
    assert torch.isfinite(out).all()


def test_noise_channels_have_their_scales() -> None:
    noise = make(noise_scales=[1, 8]).draw_noise(
        torch_noise(500, torch.Generator().manual_seed(1)), (4, 9)
    )
    assert noise.shape == (500, 2, 4, 9)
    neighbours = (noise[..., :-1] * noise[..., 1:]).mean(dim=(0, 2, 3))
    assert abs(neighbours[0]) < 0.05  # white
    assert neighbours[1] > 0.7  # smooth


def test_every_noise_channel_and_condition_counts() -> None:
    network = make(noise_scales=[1, 4, 16])
    condition = torch.randn(1, 5, 6, 6, requires_grad=True)
    noise = network.draw_noise(torch_noise(1, None), (6, 6)).requires_grad_()
    network(condition, noise).square().sum().backward()
    for given in (condition, noise):
        assert given.grad is not None
        assert (given.grad.abs().amax(dim=(0, 2, 3)) > 0).all()


@pytest.mark.parametrize("displacements", [0, 2])
def test_samples_of_a_batch_do_not_see_each_other(displacements: int) -> None:
    network = make(displacements=displacements)
    if network.carry is not None:
        torch.nn.init.normal_(network.carry.displacement.weight)
    condition, noise = torch.randn(3, 5, 6, 7), network.draw_noise(torch_noise(3, None), (6, 7))
    together = network(condition, noise)
    for index in range(3):
        alone = network(condition[[index]], noise[[index]])
        torch.testing.assert_close(together[[index]], alone, rtol=1e-4, atol=1e-5)


def test_moved_features_reach_the_forecast() -> None:
    network = make(displacements=4)
    condition, noise = torch.randn(1, 5, 12, 12), network.draw_noise(torch_noise(1, None), (12, 12))
    still = network(condition, noise)
    assert network.carry is not None
    with torch.no_grad():
        network.carry.displacement.bias[0] = 3.0  # the first group, three points along x
    assert (network(condition, noise) - still).abs().max() > 1e-3
