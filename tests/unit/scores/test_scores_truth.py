from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.scores.truth import Truth

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
    truth = Truth(two_days, INIT, [3, 1])
    assert truth.grid.matches(grid)
    for lead, hour in ((1, 23.0), (3, 1.0)):
        field = truth.field("T2M", lead)
        assert (field.shape, field.dtype) == (grid.shape, np.float32)
        np.testing.assert_array_equal(field, hour)


def test_wind_speed_is_derived(write_fields: Callable[..., Path], grid: Grid) -> None:
    component = np.ones((1, *grid.shape), np.float32)
    path = write_fields("a.nc", FIRST_DAY[1:], {"U10": 3 * component, "V10": -4 * component})
    truth = Truth([path], INIT, [1])
    np.testing.assert_array_equal(truth.field("WIND10", 1), 5.0)
    np.testing.assert_array_equal(truth.field("U10", 1), 3.0)
    assert truth.field("WIND10", 1).dtype == np.float32


def test_a_missing_time_is_named(two_days: list[Path]) -> None:
    with pytest.raises(StormdrawError, match=r"20260609\.nc: no analysis valid at 2026-06-09 03"):
        Truth(two_days, INIT, [1, 5])


def test_a_missing_variable_is_named(two_days: list[Path]) -> None:
    truth = Truth(two_days, INIT, [1])
    with pytest.raises(StormdrawError, match=r"20260608\.nc: has no REFC"):
        truth.field("REFC", 1)
    with pytest.raises(StormdrawError, match=r"20260608\.nc: has no U10, V10"):
        truth.field("WIND10", 1)


def test_grids_must_be_the_same(two_days: list[Path], write_fields: Callable[..., Path]) -> None:
    shifted = HRRR.crop(slice(101, 106), slice(900, 907))
    other = write_fields("other.nc", SECOND_DAY, {"T2M": numbered(SECOND_DAY, shifted)}, shifted)
    with pytest.raises(StormdrawError, match=r"other\.nc: its grid is not that of .*20260608\.nc"):
        Truth([two_days[0], other], INIT, [1, 3])
