"""A loss that is not a number is found at the next look, and named as of the batch it came in."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from synthetic_hours import START

from stormdraw.errors import StormdrawError
from stormdraw.models.finite_losses import CHECK_EVERY, CheckLosses
from stormdraw.times import hours

NAN, INFINITE = float("nan"), float("inf")
MODEL: Any = SimpleNamespace(loss_names=("T2M", "CAPE"), law_names=("cape",))
FINE = [[1.0, 2.0], [3.0, 4.0]]


def epoch(check: CheckLosses, batches: int, bad: int, losses: Any, violations: Any) -> int:
    """Go through batches of two hours each, one of them bad, two of them an optimizer step;
    returns how many it took."""
    trainer: Any = SimpleNamespace(global_step=0)
    for index in range(batches):
        parts = torch.tensor(losses if index == bad else FINE)
        broken = torch.tensor(violations if index == bad else [[0.0], [0.0]])
        outputs = {"loss": parts.mean() + broken.mean(), "losses": parts, "violations": broken}
        times = (START + hours(2 * index), START + hours(2 * index + 1))
        batch: Any = SimpleNamespace(times=times)
        check.on_train_batch_start(trainer, None, batch, index)  # type: ignore[arg-type]
        trainer.global_step = (index + 1) // 2
        check.on_train_batch_end(trainer, None, outputs, batch, index)  # type: ignore[arg-type]
    return batches


def test_within_an_epoch_after_so_many_batches() -> None:
    check = CheckLosses("small", MODEL)
    assert epoch(check, CHECK_EVERY - 1, 6, [[1.0, NAN], [3.0, 4.0]], [[0.0], [0.0]])
    check = CheckLosses("small", MODEL)
    # The seventh batch is the first of the fourth optimizer step, and its first hour is 12 UTC.
    wanted = (
        "model small: the loss of CAPE is not a number at optimizer step 4, for the states at "
        "2026-06-01 12 UTC;"
    )
    with pytest.raises(StormdrawError, match=wanted):
        epoch(check, CHECK_EVERY, 6, [[1.0, NAN], [3.0, 4.0]], [[0.0], [0.0]])


@pytest.mark.parametrize("look", ["on_train_epoch_end", "on_save_checkpoint"])
def test_before_an_epoch_is_written_down_and_before_weights_are_saved(look: str) -> None:
    check = CheckLosses("small", MODEL)
    epoch(check, 3, 2, [[INFINITE, 1.0], [INFINITE, 1.0]], [[0.0], [0.0]])
    wanted = "the loss of T2M is .* step 2, for the states at 2026-06-01 04, 2026-06-01 05 UTC"
    with pytest.raises(StormdrawError, match=wanted):
        getattr(check, look)(*[None] * (2 if look == "on_train_epoch_end" else 3))
    # Nothing is left to be looked at.
    check.on_train_epoch_end(None, None)  # type: ignore[arg-type]


def test_a_law_that_is_broken_beyond_all_numbers_is_named() -> None:
    check = CheckLosses("small", MODEL)
    epoch(check, 1, 0, FINE, [[0.0], [INFINITE]])
    wanted = "the loss of cape is .* for the states at 2026-06-01 01 UTC"
    with pytest.raises(StormdrawError, match=wanted):
        check.on_train_epoch_end(None, None)  # type: ignore[arg-type]
