"""Between physical states, standardised ones and what a model generates."""

import numpy as np
import pytest
import torch

from stormdraw.fields.statistics import Statistics
from stormdraw.models.normalization import Normalization
from stormdraw.models.settings import Target

# T2M 290 +- 5 K, CAPE's square root 20 +- 10; changes of 0.5 +- 2 K and -1 +- 4.
STATISTICS = Statistics(
    variables=("T2M", "CAPE"),
    transforms=("identity", "signed_sqrt"),
    mean=np.array([290.0, 20.0], dtype=np.float32),
    std=np.array([5.0, 10.0], dtype=np.float32),
    tendency_mean=np.array([0.5, -1.0], dtype=np.float32),
    tendency_std=np.array([2.0, 4.0], dtype=np.float32),
)


def state(temperature: float, cape: float) -> torch.Tensor:
    """(1, 2, 1, 1)"""
    return torch.tensor([temperature, cape]).reshape(1, 2, 1, 1)


def test_standardised_by_hand() -> None:
    normalization = Normalization(STATISTICS, "next_state")
    # (300 - 290) / 5 = 2; (sqrt(900) - 20) / 10 = 1.
    assert normalization.standardise(state(300.0, 900.0)).flatten().tolist() == [2.0, 1.0]
    assert normalization.physical(state(2.0, 1.0)).flatten().tolist() == [300.0, 900.0]


def test_residual_by_hand() -> None:
    normalization = Normalization(STATISTICS, "residual")
    now, following = state(300.0, 900.0), state(304.5, 625.0)
    # (4.5 - 0.5) / 2 = 2; (25 - 30 + 1) / 4 = -1.
    assert normalization.encode(now, following).flatten().tolist() == [2.0, -1.0]
    assert normalization.decode(now, state(2.0, -1.0)).flatten().tolist() == [304.5, 625.0]


@pytest.mark.parametrize("target", ["next_state", "residual"])
def test_decode_undoes_encode(target: Target) -> None:
    normalization = Normalization(STATISTICS, target)
    generator = torch.Generator().manual_seed(0)
    now = torch.rand(3, 2, 5, 4, generator=generator) * 300
    following = torch.rand(3, 2, 5, 4, generator=generator) * 300
    generated = normalization.encode(now, following)
    torch.testing.assert_close(
        normalization.decode(now, generated), following, rtol=1e-4, atol=1e-3
    )


def test_a_generated_residual_may_pass_through_zero() -> None:
    # sqrt(CAPE) 1 falls by 5: the transform is signed, so the result is -16, for bounds to mend.
    normalization = Normalization(STATISTICS, "residual")
    assert normalization.decode(state(290.0, 1.0), state(0.0, -1.0))[0, 1].item() == -16.0


def test_bounds_of_a_residual_by_hand() -> None:
    normalization = Normalization(STATISTICS, "residual")
    now = normalization.transform(state(300.0, 900.0))
    # No CAPE at all: (0 - 30 + 1) / 4 = -7.25. 333 K: (333 - 300 - 0.5) / 2 = 16.25.
    generated = state(18.25, -8.25).requires_grad_()
    bounded = normalization.within_bounds(now, generated, slope=0.5)
    assert bounded.flatten().tolist() == [17.25, -7.75]
    bounded.sum().backward()
    assert generated.grad is not None
    assert generated.grad.flatten().tolist() == [0.5, 0.5]
    inside = state(1.0, -7.0)
    torch.testing.assert_close(normalization.within_bounds(now, inside, 0.5), inside)


def test_bounds_of_a_next_state_by_hand() -> None:
    normalization = Normalization(STATISTICS, "next_state")
    # (333 - 290) / 5 = 8.6; (0 - 20) / 10 = -2; now does not matter.
    bounded = normalization.within_bounds(state(0.0, 0.0), state(10.0, -3.0), slope=0.0)
    torch.testing.assert_close(bounded, state(8.6, -2.0))


def test_a_dew_point_of_another_transform_is_not_held_against_the_temperature() -> None:
    """The logarithm of 290 K is less than 285 K, and says nothing of it."""
    numbers = [np.ones(2, dtype=np.float32) for _ in range(4)]
    normalization = Normalization(
        Statistics(("T2M", "D2M"), ("log1p", "identity"), *numbers), "next_state"
    )
    transformed = normalization.transform(state(290.0, 285.0))
    assert torch.equal(normalization.clipped(transformed), transformed)
