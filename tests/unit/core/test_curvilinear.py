"""Grids told by longitudes and latitudes, against the same points on their map."""

import numpy as np
import pyproj
import pytest
from scipy.ndimage import binary_erosion

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.curvilinear import CurvilinearGrid, extent
from stormdraw.errors import StormdrawError
from stormdraw.fields.regridding import Regridder
from stormdraw.fields.winds import convergence
from stormdraw.grids import Grid, latitude_longitude

# 90 km of HRRR's grid, away from its central meridian, so that its axes are turned.
MAP = HRRR.crop(slice(480, 510), slice(1500, 1540))
CURVILINEAR = CurvilinearGrid(*MAP.longitude_latitude())
LIST = CurvilinearGrid(*(values.reshape(1, -1) for values in MAP.longitude_latitude()))

LONGITUDE, LATITUDE = MAP.longitude_latitude()
INNER = latitude_longitude(
    LONGITUDE.mean() - 0.2,
    LONGITUDE.mean() + 0.2,
    LATITUDE.mean() - 0.2,
    LATITUDE.mean() + 0.2,
    (7, 9),
)
WIDER = latitude_longitude(
    LONGITUDE.min(), LONGITUDE.max(), LATITUDE.min() - 0.5, LATITUDE.max() + 0.5, (40, 50)
)


def places_on_the_map(longitude, latitude):
    x, y = MAP.from_longitude_latitude(longitude, latitude)
    return (y - MAP.y[0]) / 3000.0, (x - MAP.x[0]) / 3000.0


def test_places_are_those_on_the_map():
    """To a ten thousandth of a cell, whose edges are straight here and curved on the map."""
    rng = np.random.default_rng(1)
    rows, columns = rng.uniform(0, 29, 200), rng.uniform(0, 39, 200)
    x, y = MAP.x[0] + 3000.0 * columns, MAP.y[0] + 3000.0 * rows
    row, column, inside = CURVILINEAR.places(*MAP.to_longitude_latitude(x, y))
    assert inside.all()
    np.testing.assert_allclose(row, rows, atol=1e-4)
    np.testing.assert_allclose(column, columns, atol=1e-4)


def test_own_points_are_whole_rows_and_columns():
    row, column, inside = CURVILINEAR.places(LONGITUDE, LATITUDE)
    assert inside.all()
    np.testing.assert_allclose(row, np.arange(30)[:, None] + np.zeros(40), atol=1e-9)
    np.testing.assert_allclose(column, np.arange(40) + np.zeros((30, 1)), atol=1e-9)


@pytest.mark.parametrize("kind", ["bilinear", "nearest", "conservative"])
def test_regridding_is_that_from_the_map(kind):
    field = np.random.default_rng(2).normal(size=MAP.shape)
    by_map, by_places = Regridder(MAP, WIDER), Regridder(CURVILINEAR, WIDER)
    expected = getattr(by_map, kind)(by_map.cut(field))
    found = getattr(by_places, kind)(by_places.cut(field))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert 0.2 < np.isnan(found).mean() < 0.8
    if kind == "nearest":
        assert (found == expected)[~np.isnan(expected)].mean() > 0.999
        return
    # The area of a point at the edge depends on neighbours beyond it, whose places are unknown.
    inner = binary_erosion(~np.isnan(expected), np.ones((3, 3)))
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-3)


def test_winds_are_turned_as_on_the_map():
    longitude, latitude = INNER.longitude_latitude()
    expected = convergence(MAP, longitude, latitude)
    assert np.abs(expected).min() > np.deg2rad(5)
    # From one column to the next the angle changes by the cone's share of 0.04 degrees.
    assert np.allclose(convergence(CURVILINEAR, longitude, latitude), expected, atol=5e-4)
    rng = np.random.default_rng(3)
    u, v = rng.normal(size=(2, *MAP.shape))
    by_map, by_places = Regridder(MAP, INNER), Regridder(CURVILINEAR, INNER)
    np.testing.assert_allclose(
        by_places.wind(by_places.cut(u), by_places.cut(v), grid_relative=True),
        by_map.wind(by_map.cut(u), by_map.cut(v), grid_relative=True),
        atol=3e-3,
    )


def test_a_list_of_points_gives_the_nearest_one():
    field = np.arange(float(LIST.shape[1]))[None]
    longitude, latitude = INNER.longitude_latitude()
    east, north = np.deg2rad(longitude.ravel()[:, None]), np.deg2rad(latitude.ravel()[:, None])
    own_east, own_north = np.deg2rad(LIST.longitude), np.deg2rad(LIST.latitude)
    angles = np.arccos(
        np.sin(north) * np.sin(own_north)
        + np.cos(north) * np.cos(own_north) * np.cos(east - own_east)
    )
    expected = angles.argmin(axis=1).reshape(INNER.shape)
    regridder = Regridder(LIST, INNER)
    for kind in ("bilinear", "nearest", "conservative"):
        np.testing.assert_array_equal(getattr(regridder, kind)(regridder.cut(field)), expected)
    outside = Regridder(LIST, WIDER)
    missing = np.isnan(outside.nearest(outside.cut(field)))
    row, column = places_on_the_map(*WIDER.longitude_latitude())
    beyond = (row < -2) | (row > 31) | (column < -2) | (column > 41)
    within = (row > 0) & (row < 29) & (column > 0) & (column < 39)
    assert missing[beyond].all()
    assert not missing[within].any()


def test_a_list_of_points_has_no_axes():
    with pytest.raises(StormdrawError, match="the points of this file are a list; set layout"):
        convergence(LIST, LONGITUDE, LATITUDE)


def test_a_grid_of_the_targets_points_is_the_target():
    field = np.random.default_rng(4).normal(size=MAP.shape)
    regridder = Regridder(CURVILINEAR, MAP)
    assert regridder.identical
    assert regridder.bilinear(regridder.cut(field)) is not None
    np.testing.assert_array_equal(regridder.bilinear(regridder.cut(field)), field)
    moved = CurvilinearGrid(LONGITUDE + 0.002, LATITUDE)
    assert not Regridder(moved, MAP).identical


def test_equal_grids_are_one_key():
    again = CurvilinearGrid(LONGITUDE.copy(), LATITUDE.copy())
    assert again == CURVILINEAR
    assert hash(again) == hash(CURVILINEAR)
    assert CURVILINEAR.crop(slice(1, None), slice(None)) != CURVILINEAR
    assert CURVILINEAR != MAP


def test_places_across_the_date_line_and_near_a_pole():
    points = Grid(
        "+proj=stere +lat_0=90 +lat_ts=60 +lon_0=0 +R=6371229",
        *[tuple(1e5 * np.arange(-10.0, 11.0))] * 2,
    )
    grid = CurvilinearGrid(*points.longitude_latitude())
    longitude, latitude = np.array([180.0, -179.99, 90.0, 0.0]), np.array([89.0, 85.0, 89.99, 90.0])
    x, y = points.from_longitude_latitude(longitude, latitude)
    row, column, inside = grid.places(longitude, latitude)
    assert inside.all()
    np.testing.assert_allclose(row, y / 1e5 + 10, atol=0.01)
    np.testing.assert_allclose(column, x / 1e5 + 10, atol=0.01)


@pytest.mark.parametrize("grid", [MAP, CURVILINEAR], ids=["a map", "places"])
def test_the_extent_of_a_grid_is_told_by_its_corners(grid):
    """As Snyder's formulas of the Lambert conformal conic place them, by pyproj's `Proj`."""
    projection = pyproj.Proj("+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5 +R=6371229")
    west, south = projection(MAP.x[0], MAP.y[0], inverse=True)
    east, north = projection(MAP.x[-1], MAP.y[-1], inverse=True)
    assert extent(grid) == (
        f"30 x 40 points from {south:.4f} N {west:.4f} E to {north:.4f} N {east:.4f} E"
    )
