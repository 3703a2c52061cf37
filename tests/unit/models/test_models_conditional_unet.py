"""The network of the original recipe's full-grid configurations."""

import pytest
import torch

from stormdraw.models.networks.conditional_unet import Network, Options, TimeEmbedding
from stormdraw.models.padding import pad_to_multiple


def make(base: int = 8, variables: int = 3, condition: int = 4) -> Network:
    torch.manual_seed(0)
    return Network(variables, condition, Options(base_channels=base))


def count(network: Network) -> int:
    return sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(("base", "parameters"), [(16, 81_111), (24, 180_799)])
def test_parameters_equal_the_original_recipes(base: int, parameters: int) -> None:
    assert count(make(base, 7, 7)) == parameters


@pytest.mark.parametrize("base", [8, 16, 24, 32, 64])
def test_parameters_by_formula(base: int) -> None:
    assert count(make(base, 7, 7)) == 308 * base**2 + 141 * base + 7
    # Each forcing channel is one more input of the first 1 x 1 convolution.
    assert count(make(base, 7, 7 + 4)) == 308 * base**2 + 145 * base + 7


@pytest.mark.parametrize("shape", [(8, 10), (7, 10), (8, 9), (7, 9), (2, 2), (3, 2)])
def test_any_height_and_width(shape: tuple[int, int]) -> None:
    network = make()
    out = network(torch.randn(2, 3, *shape), torch.randn(2, 4, *shape), torch.tensor([0, 999]))
    assert out.shape == (2, 3, *shape)
    assert torch.isfinite(out).all()


def test_odd_grid_equals_its_padded_one() -> None:
    network = make().eval()
    noisy, condition = torch.randn(1, 3, 7, 9), torch.randn(1, 4, 7, 9)
    timestep = torch.tensor([10])
    padded = network(pad_to_multiple(noisy, 2), pad_to_multiple(condition, 2), timestep)
    torch.testing.assert_close(network(noisy, condition, timestep), padded[..., :7, :9])


def test_samples_of_a_batch_do_not_see_each_other() -> None:
    network = make().eval()
    noisy, condition = torch.randn(3, 3, 6, 7), torch.randn(3, 4, 6, 7)
    timestep = torch.tensor([1, 500, 900])
    together = network(noisy, condition, timestep)
    for index in range(3):
        alone = network(noisy[[index]], condition[[index]], timestep[[index]])
        torch.testing.assert_close(together[[index]], alone, rtol=1e-4, atol=1e-5)


def test_output_depends_on_every_input() -> None:
    network = make()
    noisy = torch.randn(1, 3, 6, 6, requires_grad=True)
    condition = torch.randn(1, 4, 6, 6, requires_grad=True)
    network(noisy, condition, torch.tensor([3])).square().sum().backward()
    assert noisy.grad is not None
    assert condition.grad is not None
    assert (noisy.grad.abs().amax(dim=(0, 2, 3)) > 0).all()
    assert (condition.grad.abs().amax(dim=(0, 2, 3)) > 0).all()
    assert all(weights.grad is not None for weights in network.parameters())


def test_time_embedding_is_sines_and_cosines() -> None:
    embedding = TimeEmbedding(8)
    # At time 0 all angles are 0; the k-th of 4 frequencies is 10000^(-k/4): 1, 0.1, 0.01, 0.001.
    torch.testing.assert_close(embedding.frequencies, torch.tensor([1.0, 0.1, 0.01, 0.001]))
    with torch.no_grad():
        embedding.linear.weight.copy_(torch.eye(8))
        embedding.linear.bias.zero_()
    angle = torch.tensor([5.0, 0.5, 0.05, 0.005])
    raw = torch.cat([angle.sin(), angle.cos()])
    torch.testing.assert_close(embedding(torch.tensor([5]))[0], raw * torch.sigmoid(raw))
