"""Files of others that are right but unusual, and some that look right and are not."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from ensemble_files import (
    INIT,
    LEADS,
    MEMBERS,
    ROWS,
    ensemble,
    files,
    lambert_degrees,
    on_degrees,
    opened,
    value,
)

from stormdraw.curvilinear import CurvilinearGrid
from stormdraw.errors import StormdrawError
from stormdraw.external.reading import open_forecast, open_state
from stormdraw.fields.regridding import Regridder
from stormdraw.grids import latitude_longitude


def test_times_in_days_are_to_the_nearest_second(tmp_path):
    """As float64, an hour is off by some microseconds, to either side."""
    epoch = datetime(1, 1, 1)
    leads = np.arange(1, 25)
    own = ensemble().isel(time=[0] * len(leads)).drop_vars(["lead", "start"])
    days = [(INIT + timedelta(hours=int(lead)) - epoch) / timedelta(days=1) for lead in leads]
    units = {
        "standard_name": "time",
        "units": "days since 0001-01-01",
        "calendar": "proleptic_gregorian",
    }
    own.assign_coords(time=("time", days, units)).to_netcdf(tmp_path / "2026060806.nc")
    with opened(files(tmp_path / "{init:%Y%m%d%H}.nc"), leads.tolist()) as forecast:
        assert all(forecast.field("T2M", 2, int(lead)) is not None for lead in leads)
        assert forecast.field("T2M", 2, 25) is None


@pytest.mark.parametrize("unit", ["minutes", "nanoseconds", "timedelta64[ns]"])
def test_leads_as_differences_of_times(tmp_path, unit):
    own = ensemble().drop_vars(["time", "lead"]).rename(time="step")
    hours = np.array(LEADS, "timedelta64[h]")
    if unit == "timedelta64[ns]":
        own = own.assign_coords(step=hours.astype(unit))
    else:
        whole = {"minutes": "m", "nanoseconds": "ns"}[unit]
        counted = hours.astype(f"timedelta64[{whole}]").astype(np.int64)
        own = own.assign_coords(step=("step", counted, {"units": unit}))
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc", lead="step")) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 7, 3), value(7, 3))


@pytest.mark.parametrize("labels", [["00", "02", "07"], [b"0", b"2", b"7"], [0.0, 2.0, 7.0]])
def test_members_as_digits(tmp_path, labels):
    own = ensemble().assign_coords(realization=labels)
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc", member="realization")) as forecast:
        assert forecast.members == list(MEMBERS)
        np.testing.assert_array_equal(forecast.field("T2M", 7, 3), value(7, 3))


@pytest.mark.parametrize("labels", [["m0", "m2", "m7"], [0.0, np.inf, 1.0], [0.0, np.nan, 1.0]])
def test_members_that_are_no_numbers(tmp_path, labels):
    ensemble().assign_coords(realization=labels).to_netcdf(tmp_path / "a.nc")
    with (
        pytest.raises(StormdrawError, match=r"realization holds .*; expected whole numbers"),
        opened(files(tmp_path / "a.nc", member="realization")) as forecast,
    ):
        _ = forecast.members


def test_members_that_are_dates(tmp_path):
    dates = INIT.replace(tzinfo=None) + np.arange(3) * timedelta(days=1)
    own = ensemble().assign_coords(realization=dates.astype("datetime64[ns]"))
    own.to_netcdf(tmp_path / "a.nc")
    with (
        pytest.raises(StormdrawError, match=r"realization holds .*; expected whole numbers"),
        opened(files(tmp_path / "a.nc", member="realization")) as forecast,
    ):
        _ = forecast.members


def test_a_lead_twice(tmp_path):
    own = ensemble().drop_vars(["time"]).rename(time="step")
    own.assign_coords(lead=("step", [1, 3, 3], {"units": "h"})).to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc", lead="lead")) as forecast:
        assert forecast.field("T2M", 2, 1) is not None
        with pytest.raises(StormdrawError, match=r"a.nc: lead holds 3 hours more than once; exp"):
            forecast.field("T2M", 2, 3)


def test_a_valid_time_twice(tmp_path):
    own = ensemble().drop_vars("lead").isel(time=[0, 1, 1])
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        assert forecast.field("T2M", 2, 1) is not None
        with pytest.raises(
            StormdrawError, match=r"a.nc: time holds 2026-06-08 09:00 UTC more than once"
        ):
            forecast.field("T2M", 2, 3)


def test_an_initial_time_twice(tmp_path):
    own = ensemble().drop_vars(["start", "time", "lead"]).rename(time="step")
    twice = own.assign(temperature=own["temperature"].expand_dims(begin=2)).assign_coords(
        begin=("begin", [np.datetime64(INIT, "ns")] * 2), step=("step", list(LEADS), {"units": "h"})
    )
    twice.to_netcdf(tmp_path / "a.nc")
    with (
        pytest.raises(StormdrawError, match=r"begin holds 2026-06-08 06:00 UTC more than once"),
        opened(files(tmp_path / "a.nc", init="begin", lead="step")) as forecast,
    ):
        _ = forecast.members


def test_a_level_twice_or_in_words(tmp_path):
    levels = ensemble().assign_coords(level=["skin", "screen", "screen"])
    shifts = xr.DataArray([-10.0, 0.0, 5.0], dims="level")
    own = levels["temperature"]
    levels["temperature"] = (own + shifts).astype("f4").assign_attrs(own.attrs)
    levels.to_netcdf(tmp_path / "a.nc")

    def at(level):
        named = {"T2M": {"name": "temperature", "at": {"level": level}}}
        with opened(files(tmp_path / "a.nc", variables=named)) as forecast:
            return forecast.field("T2M", 2, 3)

    np.testing.assert_allclose(at("skin"), value(2, 3) - 10, rtol=1e-6)
    assert at(2) is None
    with pytest.raises(StormdrawError, match=r"a.nc: level holds screen more than once"):
        at("screen")


def test_a_level_of_a_field_without_levels(tmp_path):
    ensemble().to_netcdf(tmp_path / "a.nc")
    named = {"T2M": {"name": "temperature", "at": {"level": 850}}}
    with (
        opened(files(tmp_path / "a.nc", variables=named)) as forecast,
        pytest.raises(
            StormdrawError,
            match=r"temperature has no dimension level, but y, x; layout.variables selects 850",
        ),
    ):
        forecast.field("T2M", 2, 3)


def test_the_first_of_the_names_in_a_layout_is_taken(tmp_path):
    own = (
        ensemble()
        .drop_vars("lead")
        .assign_coords(
            step=("time", [1, 3, 6], {"units": "hours"}),
            other=("time", [2, 4, 7], {"units": "hours"}),
        )
    )
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc", lead=["absent", "step", "other"])) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3), value(2, 3))
        assert forecast.field("T2M", 2, 4) is None


def test_a_file_of_a_day_with_one_of_its_times(tmp_path):
    """The path says the day alone, so that another time is missing, not wrong."""
    ensemble().to_netcdf(tmp_path / "20260608.nc")
    settings = files(tmp_path / "{init:%Y%m%d}.nc")
    with opened(settings) as forecast:
        assert forecast.members == list(MEMBERS)
    later = INIT + timedelta(hours=6)
    with open_forecast(settings, "theirs", later, ["T2M"], LEADS) as forecast:
        assert forecast.members == []
    analysis = ensemble().isel(realization=0, time=[0]).drop_vars(["start", "lead", "realization"])
    (tmp_path / "20260608.nc").unlink()
    analysis.to_netcdf(tmp_path / "20260608.nc")
    settings = files(tmp_path / "{valid:%Y%m%d}.nc")
    with open_state(settings, "truth", INIT + timedelta(hours=1), ["T2M"]) as state:
        assert state.field("T2M") is not None
    with open_state(settings, "truth", INIT + timedelta(hours=2), ["T2M"]) as state:
        assert state.field("T2M") is None


def test_an_analysis_of_no_time_is_told_by_its_path_or_by_nothing(tmp_path):
    own = ensemble().isel(realization=0, time=0).drop_vars(["start", "lead", "realization", "time"])
    own.to_netcdf(tmp_path / "2026060806.nc")
    with open_state(files(tmp_path / "{valid:%Y%m%d%H}.nc"), "truth", INIT, ["T2M"]) as state:
        assert state.field("T2M") is not None
    own.to_netcdf(tmp_path / "20260608.nc")
    with (
        open_state(files(tmp_path / "{valid:%Y%m%d}.nc"), "truth", INIT, ["T2M"]) as state,
        pytest.raises(StormdrawError, match=r"cannot tell the time of its .*put \{valid:%Y"),
    ):
        state.field("T2M")


@pytest.mark.parametrize("start", [358.0, -2.0])
def test_a_rotated_pole_whose_longitudes_cross_its_meridian(tmp_path, start):
    mapping = {
        "grid_mapping_name": "rotated_latitude_longitude",
        "grid_north_pole_latitude": 37.5,
        "grid_north_pole_longitude": 177.5,
        "earth_radius": 6371229.0,
    }
    own = ensemble()
    own["crs"].attrs = mapping
    x = start + np.arange(5.0)
    own["x"] = ("x", x % 360.0 if start > 0 else x, {"axis": "X", "units": "degrees"})
    own["y"] = ("y", np.arange(-1.0, 3.0), {"axis": "Y", "units": "degrees"})
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3), value(2, 3))
        longitude, latitude = forecast.grid.longitude_latitude()
    # By spherical trigonometry: the rotated equator meets 2.5 W at 52.5 N.
    east, north = np.deg2rad(np.meshgrid(np.arange(-2.0, 3.0), np.arange(-1.0, 3.0)))
    sine, cosine = np.sin(np.deg2rad(52.5)), np.cos(np.deg2rad(52.5))
    expected = np.arcsin(cosine * np.sin(north) + sine * np.cos(north) * np.cos(east))
    np.testing.assert_allclose(latitude, np.rad2deg(expected), atol=1e-9)
    expected = np.arctan2(
        np.cos(north) * np.sin(east),
        cosine * np.cos(north) * np.cos(east) - sine * np.sin(north),
    )
    np.testing.assert_allclose(longitude, np.rad2deg(expected) - 2.5, atol=1e-9)


@pytest.mark.parametrize("turned", [False, True], ids=["(y, x)", "(x, y)"])
def test_places_by_column_are_rows_and_columns_of_the_map(tmp_path, turned):
    longitude, latitude = lambert_degrees()
    own = on_degrees(ensemble(), latitude, longitude)
    (own.transpose(..., "x", "y") if turned else own).to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        assert isinstance(forecast.grid, CurvilinearGrid)
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3), value(2, 3))
        np.testing.assert_array_equal(forecast.grid.longitude, longitude)


def test_places_with_a_time_as_wrf_has_them(tmp_path):
    longitude, latitude = lambert_degrees()
    own = on_degrees(ensemble(), latitude, longitude)
    for name in ("latitude", "longitude"):
        own[name] = own[name].expand_dims(Time=1)
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3), value(2, 3))
        np.testing.assert_array_equal(forecast.grid.longitude, longitude)


def test_places_of_one_row_are_a_list(tmp_path):
    longitude, latitude = lambert_degrees()
    own = on_degrees(ensemble().isel(y=[1]), latitude[1:2], longitude[1:2])
    own.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3), value(2, 3)[1:2])
        assert forecast.grid.is_list


@pytest.mark.parametrize("last", [342.0, 360.0], ids=["open", "closed"])
def test_a_globe_is_whole_across_its_seam(tmp_path, last):
    """Between the last longitude and the first, also if that is there twice."""
    longitude = np.arange(0.0, last + 1, 18.0)
    latitude = np.linspace(-60.0, 60.0, ROWS)
    values = 280.0 + 3.0 * np.cos(np.deg2rad(longitude)) + np.zeros((ROWS, 1))
    xr.Dataset(
        {"temperature": (("y", "x"), values.astype("f4"), {"units": "K"})},
        coords={
            "latitude": ("y", latitude, {"units": "degrees_north"}),
            "longitude": ("x", longitude, {"units": "degrees_east"}),
        },
    ).to_netcdf(tmp_path / "f03.nc")
    with opened(files(tmp_path / "f{lead:02d}.nc"), [3]) as forecast:
        field = forecast.field("T2M", 0, 3)
        target = latitude_longitude(-9.0, 9.0, 0.0, 10.0, (2, 3))
        regridder = Regridder(forecast.grid, target)
        found = regridder.bilinear(regridder.cut(field))
    half = 280 + 3 * (1 + np.cos(np.deg2rad(18))) / 2
    np.testing.assert_allclose(found, np.tile([half, 283.0, half], (2, 1)), rtol=1e-6)


def test_values_that_are_packed_and_masked(tmp_path):
    own = ensemble()
    own["temperature"][:, :, 0, 1] = np.nan
    packing = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 280.0, "_FillValue": -32768}
    own.to_netcdf(tmp_path / "a.nc", encoding={"temperature": packing})
    with opened(files(tmp_path / "a.nc")) as forecast:
        field = forecast.field("T2M", 2, 3)
    assert np.argwhere(np.isnan(field)).tolist() == [[0, 1]]
    known = np.isfinite(field)
    np.testing.assert_allclose(field[known], value(2, 3)[known], atol=0.0051)
