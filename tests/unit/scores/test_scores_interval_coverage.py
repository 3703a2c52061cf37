"""The experiment of `docs/intervals.md`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "comparisons"))

from interval_coverage import PROCESSES, found


@pytest.mark.slow
@pytest.mark.parametrize("days", [15, 30, 90])
@pytest.mark.parametrize("process", list(PROCESSES))
def test_intervals_hold_as_often_as_they_say(process: str, days: int) -> None:
    """Of 4,800 experiments the share varies by 0.4 %, of 200 tables by 1.7 %."""
    experiments = found(process, days, 200)
    assert experiments.coverage() >= 0.93
    assert experiments.decided.mean() <= 0.07 + 0.035


def test_intervals_of_few_days_hold_as_often_as_they_say() -> None:
    for process in PROCESSES:
        assert found(process, 8, 20).coverage() >= 0.92


def test_intervals_are_withheld_where_few_days_differ_and_nowhere_else() -> None:
    withheld = [1.0 - found(process, 15, 10).given.mean() for process in PROCESSES]
    assert withheld[:3] == [0.0, 0.0, 0.0]
    # Three days of 15 or fewer are not 0, which has a chance of 1.8 and of 64.8 %.
    assert withheld[3:] == pytest.approx([0.018, 0.648], abs=0.1)
