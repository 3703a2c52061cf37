from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.grids import HRRR, Grid
from stormdraw.scores.truth import load_truth

INIT = datetime(2026, 6, 8, 22)
FIRST_DAY = [datetime(2026, 6, 8, hour) for hour in (22, 23)]
SECOND_DAY = [datetime(2026, 6, 9, hour) for hour in (0, 1, 2)]


def numbered(times: list[datetime], grid: Grid) -> np.ndarray:
    """Fields (time, y, x) whose value is the hour."""
    hours = np.array([time.hour for time in times], np.float32)
    return np.broadcast_to(hours[:, None, None], (len(times), *grid.shape))


@pytest.fixture
def two_days(write_fields: Callable[..., Path], grid: Grid) -> list[Path]:
    return [
        write_fields(f"{times[0]:%Y%m%d}.nc", times, {"T2M": numbered(times, grid)})
        for times in (FIRST_DAY, SECOND_DAY)
    ]


def test_takes_each_valid_time_from_the_day_that_has_it(two_days: list[Path], grid: Grid) -> None:
    truth = load_truth(two_days, INIT, [3, 1], ["T2M"])
    assert truth["T2M"].dims == ("lead", "y", "x")
    np.testing.assert_array_equal(truth["lead"], [3, 1])
    np.testing.assert_array_equal(truth["T2M"][:, 0, 0], [1.0, 23.0])
    assert truth["T2M"].dtype == np.float32
    assert Grid.of(truth) == grid


def test_wind_speed_is_derived(write_fields: Callable[..., Path], grid: Grid) -> None:
    component = np.ones((1, *grid.shape), np.float32)
    path = write_fields("a.nc", FIRST_DAY[1:], {"U10": 3 * component, "V10": -4 * component})
    truth = load_truth([path], INIT, [1], ["U10", "WIND10"])
    np.testing.assert_array_equal(truth["WIND10"], 5 * component)
    np.testing.assert_array_equal(truth["U10"], 3 * component)
    assert truth["WIND10"].dtype == np.float32


def test_a_missing_time_is_named(two_days: list[Path]) -> None:
    with pytest.raises(StormdrawError, match=r"20260609\.nc: no analysis valid at 2026-06-09 03"):
        load_truth(two_days, INIT, [1, 5], ["T2M"])


def test_a_missing_variable_is_named(two_days: list[Path]) -> None:
    with pytest.raises(StormdrawError, match=r"20260608\.nc: no variable REFC"):
        load_truth(two_days, INIT, [1], ["REFC"])
    with pytest.raises(StormdrawError, match="no variable U10, which WIND10 is scored with"):
        load_truth(two_days, INIT, [1], ["WIND10"])


def test_grids_must_be_the_same(two_days: list[Path], write_fields: Callable[..., Path]) -> None:
    shifted = HRRR.crop(slice(101, 106), slice(900, 907))
    other = write_fields("other.nc", SECOND_DAY, {"T2M": numbered(SECOND_DAY, shifted)}, shifted)
    with pytest.raises(StormdrawError, match=r"other\.nc: its grid is not that of .*20260608\.nc"):
        load_truth([two_days[0], other], INIT, [1, 3], ["T2M"])
