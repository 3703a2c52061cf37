import numpy as np
import pytest

from stormdraw.fields.winds import convergence, to_earth, to_grid
from stormdraw.grids import HRRR, lambert

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
    longitude = np.array([-110.0, -97.5, -80.0])
    latitude = np.array([35.0, 40.0, 45.0])
    operation = grid.projection.coordinate_operation
    values = {parameter.name: parameter.value for parameter in operation.params}
    central = values["Longitude of false origin"]
    cone = np.sin(np.deg2rad(values["Latitude of 1st standard parallel"]))
    expected = np.deg2rad(cone * (longitude - central))
    assert np.allclose(convergence(grid, longitude, latitude), expected, atol=1e-10)


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
        u, v = to_grid(np.full(2, east), np.full(2, north), angle)
        assert np.allclose(u, (x1 - x0) / length, atol=1e-5)
        assert np.allclose(v, (y1 - y0) / length, atol=1e-5)


def test_there_and_back_keeps_the_wind():
    rng = np.random.default_rng(0)
    u, v, angle = rng.normal(size=(3, 100))
    east, north = to_earth(u, v, angle)
    assert np.allclose(np.hypot(east, north), np.hypot(u, v))
    assert np.allclose(to_grid(east, north, angle), (u, v))
