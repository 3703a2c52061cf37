"""Windows of batches: where an optimizer step comes, and what each batch counts in it."""

import pytest
from synthetic_hours import make_model_settings

from stormdraw.models.accumulation import Windows


def test_windows_by_hand() -> None:
    # Seven samples in batches of 2, 2, 2 and 1; three batches make a step, so that the second
    # window is the one sample that is left.
    windows = Windows(samples=7, batch_size=2, accumulation=3)
    assert (windows.batches, windows.steps) == (4, 2)
    assert [windows.ends_with(index) for index in range(4)] == [False, False, True, True]
    # A loss is divided by 3 by the trainer, always.
    assert [windows.weight(index, 2) / 3 for index in range(3)] == pytest.approx([1 / 3] * 3)
    assert windows.weight(3, 1) / 3 == pytest.approx(1.0)


def test_a_window_with_a_smaller_batch_is_a_mean_over_samples() -> None:
    # Five samples as 2, 2 and 1 in one window: each sample counts a fifth.
    windows = Windows(samples=5, batch_size=2, accumulation=4)
    share = [windows.weight(index, size) / 4 for index, size in enumerate((2, 2, 1))]
    assert share == pytest.approx([2 / 5, 2 / 5, 1 / 5])


@pytest.mark.parametrize(("batch_size", "accumulation"), [(20, 1), (10, 2), (5, 4), (1, 20)])
def test_a_split_of_the_same_samples_makes_the_same_steps(
    batch_size: int, accumulation: int
) -> None:
    windows = Windows(167, batch_size, accumulation)
    assert windows.steps == 9  # eight of 20, and one of 7
    ends = [index for index in range(windows.batches) if windows.ends_with(index)]
    assert len(ends) == windows.steps
    assert [min((index + 1) * batch_size, 167) for index in ends] == [*range(20, 161, 20), 167]


def test_progress_converts_to_another_split_of_the_batches() -> None:
    whole, split = Windows(167, 20, 2), Windows(167, 5, 8)
    # After the first two windows of 40 samples, and at the end of the epoch.
    assert [split.equivalent(batches, whole) for batches in (0, 2, 4, 9)] == [0, 8, 16, 34]
    assert [whole.equivalent(batches, split) for batches in (0, 8, 16, 34)] == [0, 2, 4, 9]


def test_an_epoch_takes_each_pair_samples_per_state_times() -> None:
    training = make_model_settings({"samples_per_state": 3, "batch_size": 4}).training
    assert Windows.of(training, 7) == Windows(samples=21, batch_size=4, accumulation=2)
