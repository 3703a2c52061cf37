"""How the processes of a training share a batch, and what they add up."""

import pytest
import torch

from stormdraw.models import ranks
from stormdraw.models.ranks import ALONE, Ranks, present_ranks


@pytest.mark.parametrize("whole", [1, 2, 5, 6])
def test_the_mean_of_weighted_parts_is_that_of_the_batch(whole: int) -> None:
    """Also where a rank has no sample and computes the first one for nothing."""
    losses = [float(3**sample) for sample in range(whole)]
    parts = [Ranks(number, 3).share(whole) for number in range(3)]
    means = [sum(losses[i] for i in part.indices) / len(part.indices) for part in parts if part]
    weighted = [mean * part.weight for mean, part in zip(means, parts, strict=True) if part]
    assert sum(weighted) / 3 == pytest.approx(sum(losses) / whole)


def test_a_total_leaves_what_is_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks, of which the other has the same value."""
    monkeypatch.setattr(ranks.distributed, "all_reduce", lambda values: values.mul_(2))
    own = torch.tensor([1.0, 2.0])
    assert Ranks(1, 2).total(own).tolist() == [2.0, 4.0]
    assert own.tolist() == [1.0, 2.0]
    assert Ranks(1, 2).any(True)
    assert not Ranks(1, 2).any(False)


def test_without_a_group_there_is_one_rank() -> None:
    assert present_ranks() is ALONE
    assert ALONE.share(5) is None
    assert ALONE.any(True)
    assert not ALONE.any(False)


def test_a_device_is_counted_on_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second device of the second of two nodes."""
    known = {"is_initialized": True, "get_rank": 3, "get_world_size": 4}
    for what, value in known.items():
        monkeypatch.setattr(ranks.distributed, what, lambda value=value: value)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert present_ranks() == Ranks(3, 4, 1)
