"""Which grids are the same one."""

import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grids import Grid, lambert, latitude_longitude

PART = HRRR.crop(slice(480, 500), slice(880, 910))


def moved(grid: Grid, x: float, y: float) -> Grid:
    return Grid(grid.crs, tuple(old + x for old in grid.x), tuple(old + y for old in grid.y))


def hrrr(**changes) -> Grid:
    """HRRR's grid from its header, 21.138123 N 122.719528 W, with some of it changed."""
    header = {
        "first_latitude": 21.138123,
        "first_longitude": 237.280472,
        "shape": (1059, 1799),
        "spacing": (3000.0, 3000.0),
        "central_longitude": 262.5,
        "standard_parallels": (38.5, 38.5),
        "reference_latitude": 38.5,
    }
    return lambert(**{**header, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"first_latitude": 21.138124},
        {"first_longitude": 237.280471},
        {"first_latitude": 21.138},
        {"central_longitude": 262.500001},
    ],
)
def test_a_header_that_rounds_otherwise_is_of_the_same_grid(change):
    assert HRRR.matches(hrrr(**change))
    assert hrrr(**change).matches(HRRR)


@pytest.mark.parametrize(
    "change",
    [
        {"first_latitude": 21.139},  # 97 m
        {"spacing": (3000.0, 3001.0)},
        {"spacing": (3001.0, 3000.0)},
        {"central_longitude": 262.6},
        {"standard_parallels": (38.5, 38.6)},
        {"shape": (1058, 1799)},
    ],
)
def test_another_grid_is_told_apart(change):
    assert not HRRR.matches(hrrr(**change))


@pytest.mark.parametrize(("x", "y"), [(3000, 0), (0, 3000), (-40, 0), (0, -40)])
def test_a_neighbouring_part_is_told_apart(x, y):
    assert not PART.matches(moved(PART, x, y))


def test_the_same_numbers_on_another_map_are_another_grid():
    turned = PART.crs.replace("lon_0=-97.500000", "lon_0=-97.400000")
    assert turned != PART.crs
    assert not PART.matches(Grid(turned, PART.x, PART.y))


def test_twice_the_points_between_the_same_corners_are_another_grid():
    dense = latitude_longitude(230.0, 240.0, 20.0, 30.0, (41, 41))
    assert not latitude_longitude(230.0, 240.0, 20.0, 30.0, (21, 21)).matches(dense)


def test_longitudes_may_be_counted_to_the_east_or_from_the_date_line():
    east = latitude_longitude(230.0, 240.0, 20.0, 30.0, (21, 21))
    west = latitude_longitude(-130.0, -120.0, 20.0, 30.0, (21, 21))
    assert east.matches(west)
    assert not east.matches(latitude_longitude(-131.0, -121.0, 20.0, 30.0, (21, 21)))
