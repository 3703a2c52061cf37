"""Forecasts on the grid -> forecasts at stations."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from station_files import stations_at, write_static

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid, lambert
from stormdraw.scores.stations.forecasts import AtStations
from stormdraw.scores.stations.places import OUTSIDE, WATER, places_of

INIT = datetime(2026, 6, 8, 6)
RATES = {"T2M": 6.5, "D2M": 5.2}


@pytest.fixture
def station() -> pd.DataFrame:
    """20 degrees west of the central longitude of `around`."""
    return pd.DataFrame(
        {"station": ["KXYZ"], "latitude": [35.0], "longitude": [-120.0], "elevation": [1475.0]}
    )


@pytest.fixture
def around(station: pd.DataFrame) -> Grid:
    """2 x 2 points, of which the station lies half way up and a quarter of the way to the right.

    The cone is tangent at 30 degrees: its constant is 0.5.
    """
    crs = lambert(35.0, -120.0, (2, 2), (3e3, 3e3), -100.0, (30.0, 30.0), 30.0).crs
    x, y = Grid(crs, (0.0,), (0.0,)).from_longitude_latitude(-120.0, 35.0)
    return Grid(crs, (x - 750.0, x + 2250.0), (y - 1500.0, y + 1500.0))


def ensemble_on(grid: Grid, **fields: list) -> xr.Dataset:
    """Fields (member, y, x), or (y, x) for `_mean` etc., at a lead of 1 h."""
    arrays = {name: np.array(field, np.float32) for name, field in fields.items()}
    return xr.Dataset(
        {
            name: (
                (("member",) if field.ndim == 3 else ()) + ("lead", "y", "x"),
                field[..., None, :, :],
            )
            for name, field in arrays.items()
        },
        coords={"lead": [1], "init": np.datetime64(INIT, "ns"), **grid.coordinates()},
        attrs={"system": "trial", "method": "diffusion", "members_by_lead": [10]},
    )


def test_a_station_worked_by_hand(tmp_path: Path, around: Grid, station: pd.DataFrame) -> None:
    # Weights 0.375, 0.125 (lower row), 0.375, 0.125 (upper row).
    # Terrain: 375 + 150 + 525 + 225 = 1275 m, 0.2 km below the station.
    static = write_static(
        tmp_path / "static.nc", around, OROG=np.array([[1000.0, 1200.0], [1400.0, 1800.0]])
    )
    ensemble = ensemble_on(
        around,
        # 105 + 35.5 + 105.75 + 36.25 = 282.5 K; 0.2 km higher it is 1.3 K colder.
        T2M=[[[280.0, 284.0], [282.0, 290.0]]],
        # The same everywhere; 0.2 km higher it is 1.04 K less.
        D2M=[[[270.0, 270.0], [270.0, 270.0]]],
        # 5 m/s along the x axis: 20 degrees west of the central longitude, with a constant of 0.5,
        # that is 10 degrees to the left of east.
        U10=[[[5.0, 5.0], [5.0, 5.0]]],
        V10=[[[0.0, 0.0], [0.0, 0.0]]],
        # 1.875 + 0.875 + 2.625 + 1.375 = 6.75 m/s.
        WIND10=[[[5.0, 7.0], [7.0, 11.0]]],
        # The nearest point is the upper or lower left one: the station is half way between.
        CAPE=[[[40.0, 900.0], [40.0, 900.0]]],
    )
    places = places_of(station, around, static)
    np.testing.assert_allclose(places.terrain, [1275.0], rtol=1e-6)
    at = AtStations(ensemble, places, RATES)
    expected = {
        "T2M": 281.2,
        "D2M": 268.96,
        "U10": 5.0 * np.cos(np.deg2rad(10.0)),
        "V10": 5.0 * np.sin(np.deg2rad(10.0)),
        "WIND10": 6.75,
        "CAPE": 40.0,
    }
    for name, value in expected.items():
        members = at.forecast(name, 1).members
        np.testing.assert_allclose(members, [[value]], rtol=1e-6, err_msg=name)
    # A percentile of the climatology has the height of the forecasts.
    climatology = np.array([[280.0, 284.0], [282.0, 290.0]])
    np.testing.assert_allclose(at.percentile("T2M", climatology), [281.2], rtol=1e-6)
    np.testing.assert_allclose(at.percentile("WIND10", climatology), [282.5], rtol=1e-6)
    np.testing.assert_array_equal(at.percentile("CAPE", climatology), [280.0])
    unchanged = AtStations(ensemble, places, {})
    np.testing.assert_allclose(unchanged.forecast("T2M", 1).members, [[282.5]], rtol=1e-6)


def test_mean_and_spread_at_a_station(tmp_path: Path, around: Grid, station: pd.DataFrame) -> None:
    static = write_static(tmp_path / "static.nc", around, OROG=np.full((2, 2), 1275.0))
    square = np.ones((2, 2))
    ensemble = ensemble_on(
        around,
        T2M_mean=282.5 * square,
        T2M_spread=2.0 * square,
        U10_mean=5.0 * square,
        V10_mean=0.0 * square,
        U10_spread=3.0 * square,
        V10_spread=1.0 * square,
    )
    at = AtStations(ensemble, places_of(station, around, static), RATES)
    forecast = at.forecast("T2M", 1)
    assert forecast.members is None
    assert forecast.sampled == 10
    np.testing.assert_allclose([forecast.mean, forecast.spread], [[281.2], [2.0]], rtol=1e-6)
    east, north = at.forecast("U10", 1), at.forecast("V10", 1)
    cosine, sine = np.cos(np.deg2rad(10.0)), np.sin(np.deg2rad(10.0))
    np.testing.assert_allclose([east.mean, north.mean], [[5 * cosine], [5 * sine]], rtol=1e-5)
    # Variances of independent components: 9 and 1 turned by 10 degrees.
    variances = [[9 * cosine**2 + sine**2], [9 * sine**2 + cosine**2]]
    np.testing.assert_allclose(np.square([east.spread, north.spread]), variances, rtol=1e-5)


def test_without_terrain_no_height_is_corrected(around: Grid, station: pd.DataFrame) -> None:
    ensemble = ensemble_on(around, T2M=[[[280.0, 280.0], [280.0, 280.0]]])
    at = AtStations(ensemble, places_of(station, around), RATES)
    np.testing.assert_array_equal(at.forecast("T2M", 1).members, [[280.0]])


def test_an_unknown_elevation_leaves_temperature_missing(
    tmp_path: Path, around: Grid, station: pd.DataFrame
) -> None:
    static = write_static(tmp_path / "static.nc", around, OROG=np.zeros((2, 2)))
    somewhere = station.assign(elevation=np.nan)
    square = [[[280.0, 280.0], [280.0, 280.0]]]
    at = AtStations(
        ensemble_on(around, T2M=square, GUST=square), places_of(somewhere, around, static), RATES
    )
    assert np.isnan(at.forecast("T2M", 1).members).all()
    assert np.isfinite(at.forecast("GUST", 1).members).all()


def test_stations_outside_and_on_the_models_water_are_dropped(tmp_path: Path, grid: Grid) -> None:
    stations = stations_at(grid, [-1.0, 1.0, 1.4, 4.2, 2.0], [2.0, 1.0, 1.4, 3.0, 7.5])
    land = np.ones(grid.shape)
    land[1, 1] = 0.0
    static = write_static(tmp_path / "static.nc", grid, LAND=land)
    places = places_of(stations, grid, static)
    assert places.stations["station"].tolist() == []
    assert places.dropped == {
        "S00": OUTSIDE,
        "S01": WATER,
        "S02": WATER,
        "S03": OUTSIDE,
        "S04": OUTSIDE,
    }
    # Without the land mask no station is on water.
    assert places_of(stations, grid).stations["station"].tolist() == ["S01", "S02"]


def test_bilinear_is_exact_on_a_plane_and_nearest_is_a_points_value(
    grid: Grid, random: np.random.Generator
) -> None:
    rows, columns = random.uniform(0, 4, 20), random.uniform(0, 6, 20)
    places = places_of(stations_at(grid, rows, columns), grid)
    y, x = np.mgrid[:5, :7]
    plane = 3.0 + 0.5 * y - 2.0 * x
    np.testing.assert_allclose(
        places.take("T2M", plane), 3.0 + 0.5 * rows - 2.0 * columns, atol=2e-5
    )
    nearest = plane[np.rint(rows).astype(int), np.rint(columns).astype(int)]
    np.testing.assert_array_equal(places.take("REFC", plane), nearest)


def test_members_of_one_component_alone_are_an_error(around: Grid, station: pd.DataFrame) -> None:
    square = [[[1.0, 1.0], [1.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]]
    places = places_of(station, around)
    absent = [square[0], np.full((2, 2), np.nan)]
    for fields, message in (
        ({"U10": square}, "U10 and V10 are needed together"),
        ({"U10": square, "V10": absent}, "2 and 1 members at lead 1 h"),
    ):
        with pytest.raises(StormdrawError, match=message):
            AtStations(ensemble_on(around, **fields), places, {}).forecast("V10", 1)


def test_static_fields_of_another_grid_are_an_error(
    tmp_path: Path, grid: Grid, make_ensemble: Callable
) -> None:
    static = write_static(
        tmp_path / "static.nc", grid.crop(slice(0, 4), slice(0, 4)), OROG=np.zeros((4, 4))
    )
    with pytest.raises(StormdrawError, match=r"static.nc: lies on another grid"):
        places_of(stations_at(grid, [1.0], [1.0]), grid, static)
