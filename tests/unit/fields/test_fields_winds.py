import numpy as np
import pyproj
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.winds import convergence, turned
from stormdraw.grids import Grid, lambert, mercator, polar_stereographic
from stormdraw.scores.weights import area_weights

HREF_LIKE = lambert(
    first_latitude=30.0,
    first_longitude=255.0,
    shape=(200, 220),
    spacing=(5000.0, 5000.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)


@pytest.mark.parametrize("grid", [HRRR, HREF_LIKE])
def test_convergence_is_the_cones_closed_form(grid):
    longitude, latitude = np.array([-110.0, -97.5, -80.0]), np.array([25.0, 38.0, 50.0])
    operation = grid.projection.coordinate_operation
    values = {parameter.name: parameter.value for parameter in operation.params}
    central = values["Longitude of false origin"]
    cone = np.sin(np.deg2rad(values["Latitude of 1st standard parallel"]))
    expected = np.deg2rad(cone * (longitude - central))
    assert np.allclose(convergence(grid, longitude, latitude), expected, atol=1e-10)


# The UK's standard grid of the Met Office.
EQUAL_AREA = Grid(
    "+proj=laea +lat_0=54.9 +lon_0=-2.5 +a=6378137 +b=6356752.314 +units=m +no_defs",
    (-358000.0, -356000.0),
    (-636000.0, -634000.0),
)


def test_on_an_equal_area_map_the_angle_is_that_of_the_meridian() -> None:
    """Where the parcel goes that moves north along it: far from the centre, and on its meridian."""
    longitude, latitude = np.array([-8.0, 1.7, -2.5]), np.array([58.0, 50.2, 51.0])
    x0, y0 = EQUAL_AREA.from_longitude_latitude(longitude, latitude)
    x1, y1 = EQUAL_AREA.from_longitude_latitude(longitude, latitude + 1e-5)
    northward = np.arctan2(-(x1 - x0), y1 - y0)
    assert np.allclose(convergence(EQUAL_AREA, longitude, latitude), northward, atol=1e-6)
    assert northward[2] == pytest.approx(0.0, abs=1e-8)


def test_on_the_map_of_a_rotated_pole_the_angle_is_that_on_the_earth() -> None:
    """Where the parcel goes that moves north, in degrees of the map: x has fewer kilometres."""
    pole = {
        "grid_mapping_name": "rotated_latitude_longitude",
        "grid_north_pole_latitude": 37.5,
        "grid_north_pole_longitude": 177.5,
        "earth_radius": 6371229.0,
    }
    grid = Grid(pyproj.CRS.from_cf(pole).to_wkt(), (-3.0, 0.0, 3.0), (-10.0, 0.0, 4.0))
    longitude, latitude = grid.longitude_latitude()
    assert (longitude[1, 1], latitude[1, 1]) == pytest.approx((-2.5, 52.5))
    x0, y0 = grid.from_longitude_latitude(longitude, latitude)
    assert y0 == pytest.approx(np.repeat([[-10.0], [0.0], [4.0]], 3, axis=1), abs=1e-9)
    x1, y1 = grid.from_longitude_latitude(longitude, latitude + 1e-5)
    northward = np.arctan2(-(x1 - x0) * np.cos(np.deg2rad(y0)), y1 - y0)
    assert np.abs(northward).max() > 0.05
    assert np.allclose(convergence(grid, longitude, latitude), northward, atol=1e-6)
    weights = area_weights(grid)
    assert weights[0] / weights[1] == pytest.approx(np.cos(np.deg2rad(10.0)), rel=1e-6)


@pytest.mark.parametrize("grid", [HRRR, HREF_LIKE])
def test_turned_wind_points_where_air_goes(grid):
    """An eastward wind moves a parcel along the parallel: compare with a finite displacement."""
    longitude, latitude = np.array([-104.0, -84.0]), np.array([33.0, 41.0])
    step = 1e-5
    x0, y0 = grid.from_longitude_latitude(longitude, latitude)
    for east, north in [(1.0, 0.0), (0.0, 1.0), (0.6, -0.8)]:
        x1, y1 = grid.from_longitude_latitude(
            longitude + step * east / np.cos(np.deg2rad(latitude)), latitude + step * north
        )
        length = np.hypot(x1 - x0, y1 - y0)
        angle = convergence(grid, longitude, latitude)
        u, v = turned(np.full(2, east), np.full(2, north), np.cos(angle), np.sin(angle))
        assert np.allclose(u, (x1 - x0) / length, atol=1e-5)
        assert np.allclose(v, (y1 - y0) / length, atol=1e-5)


@pytest.mark.parametrize(
    "grid",
    [
        HRRR,
        polar_stereographic(31.0, 254.0, (5, 5), (1e4, 1e4), 249.0, 60.0),
        polar_stereographic(-60.0, 254.0, (5, 5), (1e4, 1e4), 249.0, 60.0, south=True),
        mercator(20.0, 190.0, (5, 5), (1e4, 1e4), 20.0),
        lambert(30.0, 255.0, (5, 5), (5e3, 5e3), 265.0, (30.0, 60.0), 25.0, 6378137.0, 6356752.0),
    ],
    ids=["lambert", "north pole", "south pole", "mercator", "two parallels of an ellipsoid"],
)
def test_convergence_is_projs_at_every_point(grid):
    """Also across the date line, and wherever the point lies north or south."""
    longitude, latitude = np.meshgrid(np.arange(-179.0, 180.0, 30.5), np.array([-40.0, 5.0, 60.0]))
    factors = pyproj.Proj(grid.projection).get_factors(longitude, latitude)
    theirs = np.exp(1j * np.deg2rad(factors.meridian_convergence))
    assert np.allclose(np.exp(1j * convergence(grid, longitude, latitude)), theirs, atol=1e-7)


def test_there_and_back_keeps_the_wind():
    rng = np.random.default_rng(0)
    u, v, angle = rng.normal(size=(3, 100))
    x, y = turned(u, v, np.cos(angle), np.sin(angle))
    assert np.allclose(np.hypot(x, y), np.hypot(u, v))
    assert np.allclose(turned(x, y, np.cos(angle), -np.sin(angle)), (u, v))
