"""Condition channels against the sky's closed forms."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from synthetic_hours import make_model_settings, small_grid

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.models.forcings import channels_of, make_forcings
from stormdraw.models.forcings.forcing import ForecastHour
from stormdraw.models.forcings.sun import solar_elevation
from stormdraw.models.forcings.unit_sphere import unit_sphere
from stormdraw.roles import Roles

EQUINOX = datetime(2026, 3, 20, 14, 46)  # the sun crosses the equator: 2026-03-20 14:46 UTC
SOLSTICE = datetime(2026, 6, 21, 8, 25)  # and stands highest in the north: 2026-06-21 08:25 UTC


def point(value: float) -> np.ndarray:
    return np.array([value])


def subsolar_longitude(time: datetime) -> float:
    """Where the sun culminates, by brute force along the equator, in degrees."""
    longitude = np.arange(-180.0, 180.0, 0.01)
    return float(longitude[np.argmax(solar_elevation(time, np.zeros_like(longitude), longitude))])


def test_equinox_noon_at_the_equator_is_overhead() -> None:
    longitude = subsolar_longitude(EQUINOX)
    assert solar_elevation(EQUINOX, point(0.0), point(longitude))[0] == pytest.approx(90, abs=0.05)


@pytest.mark.parametrize("latitude", [-40.0, 0.0, 38.5, 66.0])
def test_noon_elevation_is_90_minus_latitude_plus_declination(latitude: float) -> None:
    longitude = point(subsolar_longitude(SOLSTICE))
    expected = 90.0 - abs(latitude - 23.436)
    assert solar_elevation(SOLSTICE, point(latitude), longitude)[0] == pytest.approx(
        expected, abs=0.02
    )


def test_pole_sees_the_declination_all_day() -> None:
    for hour in range(0, 24, 5):
        elevation = solar_elevation(datetime(2026, 6, 21, hour), point(90.0), point(10.0 * hour))
        assert elevation[0] == pytest.approx(23.436, abs=0.02)


def test_the_sun_moves_15_degrees_an_hour() -> None:
    # The equator at equinox: elevation falls linearly with the hour angle, and is 0 at 90 degrees.
    longitude = subsolar_longitude(EQUINOX)
    for angle in (15.0, 45.0, 90.0, 135.0):
        elevation = solar_elevation(EQUINOX, point(0.0), point(longitude + angle))
        assert elevation[0] == pytest.approx(90.0 - angle, abs=0.05)
    later = EQUINOX + timedelta(hours=3)
    assert solar_elevation(later, point(0.0), point(longitude))[0] == pytest.approx(45.0, abs=0.1)


def test_equation_of_time() -> None:
    # Tabulated for the years around 2026: sundials are 14.2 minutes slow on 11 February and 16.4
    # fast on 3 November; at mean noon the sun then culminates that much west or east of Greenwich.
    slow = subsolar_longitude(datetime(2026, 2, 11, 12))
    fast = subsolar_longitude(datetime(2026, 11, 3, 12))
    assert slow * 4.0 == pytest.approx(14.2, abs=0.15)
    assert fast * 4.0 == pytest.approx(-16.4, abs=0.15)


def write_static(
    path: Path, field: np.ndarray, rows: slice = slice(500, 513), name: str = "OROG"
) -> Path:
    grid = HRRR.crop(rows, slice(900, 910))
    xr.Dataset({name: (("y", "x"), field)}, coords=grid.coordinates()).to_netcdf(path)
    return path


def test_channels_in_the_order_asked_for(tmp_path: Path) -> None:
    grid = small_grid()
    height = np.random.default_rng(0).normal(1000.0, 200.0, grid.shape).astype(np.float32)
    path = write_static(tmp_path / "static.nc", height)
    names = ["terrain", "hour_of_day", "solar_elevation"]
    forcings = make_forcings(names, grid, path)
    channels = forcings.at(ForecastHour.at(datetime(2026, 6, 1, 6)))
    assert channels.dtype == np.float32
    counted = channels_of(make_model_settings(forcings=names), Roles(predicted=("T2M",)))
    assert counted == ("terrain", "hour_sine", "hour_cosine", "solar_elevation")
    assert channels.shape == (4, 13, 10)
    assert channels[0].mean() == pytest.approx(0, abs=1e-5)
    assert channels[0].std() == pytest.approx(1, abs=1e-5)
    # 06 UTC is a quarter of the day.
    np.testing.assert_allclose(channels[1], 1.0, atol=1e-6)
    np.testing.assert_allclose(channels[2], 0.0, atol=1e-6)
    longitude, latitude = grid.longitude_latitude()
    elevation = solar_elevation(datetime(2026, 6, 1, 6), latitude, longitude)
    np.testing.assert_allclose(channels[3], np.sin(np.radians(elevation)), atol=1e-6)
    assert (channels[3] < 0).all()  # past midnight in the Great Plains


def test_no_forcings_are_no_channels() -> None:
    assert make_forcings([], small_grid(), None).at(ForecastHour.at(EQUINOX)).shape == (0, 13, 10)


def test_terrain_as_the_model_was_trained_with(tmp_path: Path) -> None:
    path = write_static(tmp_path / "static.nc", np.full((13, 10), 1500.0, dtype=np.float32))
    forcings = make_forcings(["terrain"], small_grid(), path, terrain_statistics=(1000.0, 250.0))
    np.testing.assert_allclose(forcings.at(ForecastHour.at(EQUINOX)), 2.0)
    # A flat terrain has no variance of its own.
    own = make_forcings(["terrain"], small_grid(), path)
    np.testing.assert_allclose(own.at(ForecastHour.at(EQUINOX)), 0.0)


# Of each static forcing, the field that it is made of.
STATIC = {"terrain": "OROG", "land": "LAND"}


@pytest.mark.parametrize("forcing", STATIC)
def test_a_missing_static_field_is_an_error(tmp_path: Path, forcing: str) -> None:
    grid, name = small_grid(), STATIC[forcing]
    with pytest.raises(
        StormdrawError, match=rf"`{forcing}` needs {name}: add it to fields\.static"
    ):
        make_forcings([forcing], grid, None)
    empty = tmp_path / "empty.nc"
    xr.Dataset(coords=grid.coordinates()).to_netcdf(empty)
    with pytest.raises(StormdrawError, match=f"has no {name}"):
        make_forcings([forcing], grid, empty)
    elsewhere = write_static(
        tmp_path / "elsewhere.nc", np.ones((13, 10), dtype=np.float32), slice(501, 514), name
    )
    with pytest.raises(StormdrawError, match="another grid"):
        make_forcings([forcing], grid, elsewhere)
    broken = np.ones((13, 10), dtype=np.float32)
    broken[0, 0] = np.nan
    with pytest.raises(StormdrawError, match="NaN at 1 points"):
        make_forcings([forcing], grid, write_static(tmp_path / "nan.nc", broken, name=name))


def test_land_is_1_and_water_0(tmp_path: Path) -> None:
    mask = np.zeros((13, 10), dtype=np.float32)
    mask[4:, 2:] = 1.0
    path = write_static(tmp_path / "static.nc", mask, name="LAND")
    (channel,) = make_forcings(["land"], small_grid(), path).at(ForecastHour.at(EQUINOX))
    np.testing.assert_array_equal(channel, mask)


def test_places_on_the_unit_sphere() -> None:
    # Greenwich's meridian, 90 degrees east, the pole, and 30 degrees north at 180 degrees.
    latitude, longitude = np.array([[0.0, 0.0, 90.0, 30.0]]), np.array([[0.0, 90.0, 40.0, 180.0]])
    expected = [[1.0, 0.0, 0.0, -(0.75**0.5)], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.5]]
    np.testing.assert_allclose(unit_sphere(latitude, longitude)[:, 0], expected, atol=1e-7)


def test_a_place_has_the_same_position_in_every_crop_and_neighbours_lie_3_km_apart() -> None:
    grid, hour = small_grid(), ForecastHour.at(EQUINOX)
    whole = make_forcings(["position"], grid).at(hour)
    assert whole.shape == (3, 13, 10)
    window = (slice(3, 9), slice(2, 7))
    part = make_forcings(["position"], grid).at(hour, window)
    np.testing.assert_array_equal(part, whole[:, *window])
    own = make_forcings(["position"], grid.crop(*window)).at(hour)
    np.testing.assert_allclose(own, part, atol=1e-6)
    # HRRR's map factor is within 3 % of 1 here. float32 has steps of 0.4 m on the Earth.
    apart = 6371229.0 * np.linalg.norm(whole[:, :, 1:] - whole[:, :, :-1], axis=0)
    np.testing.assert_allclose(apart, 3000.0, rtol=0.03)
