"""The experiment of `docs/intervals.md`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "comparisons"))

from interval_coverage import PROCESSES, coverage, drawn, false_alarms

# Of 2,400 experiments the share varies by half a per cent, of 100 tables by 3 per cent.
EXPERIMENTS = 2400


@pytest.mark.slow
@pytest.mark.parametrize("days", [15, 30, 90])
@pytest.mark.parametrize("process", list(PROCESSES)[:4])
def test_intervals_hold_as_often_as_they_say(process: str, days: int) -> None:
    sure = drawn(process, days, EXPERIMENTS)
    assert 0.93 <= coverage(sure) <= 0.99
    assert false_alarms(sure) <= 0.07 + 0.06


def test_intervals_of_few_days_hold_as_often_as_they_say() -> None:
    for process in list(PROCESSES)[:3]:
        assert coverage(drawn(process, 8, 480)) >= 0.92
