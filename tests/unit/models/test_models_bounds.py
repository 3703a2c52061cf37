"""Physical bounds, by hand."""

import torch

from stormdraw.models.bounds import apply_bounds
from stormdraw.variables import DEFAULT_STATE, variable


def test_values_are_clipped_and_counted() -> None:
    names = ["REFC", "T2M", "D2M", "CAPE", "CIN"]
    # One state of 1 x 2 points: at the first all is wrong but T2M, at the second nothing.
    states = torch.tensor(
        [[-30.0, 20.0], [290.0, 300.0], [295.0, 299.0], [-5.0, 1500.0], [40.0, -60.0]]
    ).reshape(1, 5, 1, 2)
    bounded, changed = apply_bounds(states, names)
    expected = [[-10.0, 20.0], [290.0, 300.0], [290.0, 299.0], [0.0, 1500.0], [0.0, -60.0]]
    assert bounded[0, :, 0].tolist() == expected
    assert changed.tolist() == [1, 0, 1, 1, 1]
    assert states[0, 0, 0, 0] == -30.0  # the input stays as it was


def test_dew_point_is_limited_by_the_clipped_temperature() -> None:
    states = torch.tensor([500.0, 500.0]).reshape(1, 2, 1, 1)
    bounded, _ = apply_bounds(states, ["T2M", "D2M"])
    # T2M is clipped to 333 K, D2M to 313 K.
    assert bounded.flatten().tolist() == [333.0, 313.0]
    bounded, _ = apply_bounds(torch.tensor([100.0, 500.0]).reshape(1, 2, 1, 1), ["T2M", "D2M"])
    assert bounded.flatten().tolist() == [213.0, 213.0]


def test_dew_point_alone() -> None:
    bounded, changed = apply_bounds(torch.full((2, 1, 3, 3), 280.0), ["D2M"])
    assert changed.tolist() == [0]
    assert (bounded == 280.0).all()


def test_any_state_ends_within_the_bounds() -> None:
    generator = torch.Generator().manual_seed(0)
    states = 1e4 * torch.randn(3, len(DEFAULT_STATE), 8, 8, generator=generator)
    bounded, changed = apply_bounds(states, DEFAULT_STATE)
    for index, name in enumerate(DEFAULT_STATE):
        assert bounded[:, index].min() >= variable(name).lower
        assert bounded[:, index].max() <= variable(name).upper
    dew_point, temperature = (DEFAULT_STATE.index(name) for name in ("D2M", "T2M"))
    assert (bounded[:, dew_point] <= bounded[:, temperature]).all()
    again, none = apply_bounds(bounded, DEFAULT_STATE)
    assert torch.equal(again, bounded)
    assert none.sum() == 0
    assert changed.sum() == (bounded != states).sum()
