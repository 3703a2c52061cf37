"""NetCDF files of others: every way to lay out cases, leads, members and axes."""

import re
from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from ensemble_files import (
    COLUMNS,
    INIT,
    LEADS,
    MEMBERS,
    ROWS,
    celsius,
    ensemble,
    files,
    lambert_degrees,
    on_degrees,
    opened,
    value,
)
from xarray.backends.netCDF4_ import NetCDF4ArrayWrapper

from stormdraw.errors import StormdrawError
from stormdraw.external import datasets
from stormdraw.external.reading import open_forecast, open_state

WRITTEN = {member: np.array([value(member, lead) for lead in LEADS]) for member in MEMBERS}


def all_read(settings):
    """{member: fields (lead, y, x)} of all members in the files."""
    with opened(settings) as forecast:
        return {
            member: np.array([forecast.field("T2M", member, lead) for lead in LEADS])
            for member in forecast.members
        }


def grid_of(settings):
    with opened(settings) as forecast:
        return forecast.grid


def test_one_file_a_case(tmp_path):
    ensemble().to_netcdf(tmp_path / "2026060806.nc")
    np.testing.assert_equal(all_read(files(tmp_path / "{init:%Y%m%d%H}.nc")), WRITTEN)


def test_fields_are_float32_whatever_the_file_has(tmp_path):
    ensemble().astype("f8").to_netcdf(tmp_path / "a.nc")
    assert {fields.dtype for fields in all_read(files(tmp_path / "a.nc")).values()} == {
        np.dtype(np.float32)
    }


def test_one_file_a_lead(tmp_path):
    for place, lead in enumerate(LEADS):
        ensemble().isel(time=place).to_netcdf(tmp_path / f"2026060806_f{lead:03d}.nc")
    np.testing.assert_equal(all_read(files(tmp_path / "{init:%Y%m%d%H}_f{lead:03d}.nc")), WRITTEN)


def test_one_file_a_member_and_valid_time(tmp_path):
    for member in MEMBERS:
        (tmp_path / f"m{member:02d}").mkdir()
        for place, lead in enumerate(LEADS):
            valid = INIT + timedelta(hours=lead)
            part = ensemble().sel(realization=member).isel(time=[place])
            part.to_netcdf(tmp_path / f"m{member:02d}" / f"theirs_{valid:%H%d}.nc")
    np.testing.assert_equal(
        all_read(files(tmp_path / "m{member:02d}" / "{name}_{valid:%H%d}.nc")), WRITTEN
    )


def test_one_file_a_variable(tmp_path):
    ensemble().to_netcdf(tmp_path / "t2.nc")
    theirs = {"name": "temperature", "path": "t2"}
    np.testing.assert_equal(
        all_read(files(tmp_path / "{variable}.nc", variables={"T2M": theirs})), WRITTEN
    )


def test_all_cases_in_one_file(tmp_path):
    own = ensemble().drop_vars(["start", "time", "lead"]).rename(time="step")
    step = ("step", [3600 * lead for lead in LEADS], {"units": "seconds"})
    later = np.datetime64(INIT, "ns") + np.array([0, 12], "timedelta64[h]")
    both = own.expand_dims(begin=2).assign(crs=own["crs"])
    both["temperature"] = both["temperature"] + xr.DataArray([0.0, 50.0], dims="begin")
    both["temperature"] = both["temperature"].astype("f4").assign_attrs(own["temperature"].attrs)
    both.assign_coords(step=step, begin=("begin", later)).to_netcdf(tmp_path / "all.nc")
    settings = files(tmp_path / "all.nc", init="begin", lead="step")
    np.testing.assert_equal(all_read(settings), WRITTEN)
    between = INIT + timedelta(hours=6)
    with open_forecast(settings, "theirs", between, ["T2M"], LEADS) as absent:
        assert absent.members == []
        assert absent.grid is None
        assert absent.field("T2M", 0, 1) is None


def test_axes_in_any_order_and_direction(tmp_path):
    turned = ensemble().isel(y=slice(None, None, -1), x=slice(None, None, -1))
    turned.transpose("x", "time", "y", "realization").to_netcdf(tmp_path / "a.nc")
    ensemble().to_netcdf(tmp_path / "b.nc")
    for name in ("a.nc", "b.nc"):
        np.testing.assert_equal(all_read(files(tmp_path / name)), WRITTEN)
        assert grid_of(files(tmp_path / name)).y == (0.0, 3000.0, 6000.0, 9000.0)


def test_a_map_is_that_of_its_grid_mapping(tmp_path):
    ensemble().to_netcdf(tmp_path / "a.nc")
    grid = grid_of(files(tmp_path / "a.nc"))
    np.testing.assert_allclose(grid.longitude_latitude(), lambert_degrees(), atol=1e-9)


def test_of_a_map_and_places_the_layout_may_take_the_places(tmp_path):
    """Here x and y are half a spacing off, as where they count from another corner."""
    longitude, latitude = lambert_degrees()
    both = ensemble().assign_coords(
        latitude=(("y", "x"), latitude), longitude=(("y", "x"), longitude)
    )
    both["x"] = both["x"] + 1500.0
    both["x"].attrs = ensemble()["x"].attrs
    both.to_netcdf(tmp_path / "a.nc")
    named = {"latitude": "latitude", "longitude": "longitude"}
    grid = grid_of(files(tmp_path / "a.nc", **named))
    np.testing.assert_allclose(grid.longitude_latitude(), (longitude, latitude), atol=1e-9)
    for more in ({"y": "y"}, {"x": "x"}, {"crs": "+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5"}):
        assert grid_of(files(tmp_path / "a.nc", **named, **more)).x[0] == 1500.0


@pytest.mark.parametrize(
    "longitude",
    [
        np.arange(-3.0, 2.0),
        np.arange(357.0, 362.0),
        np.arange(357.0, 362.0) % 360.0,
        (np.arange(357.0, 362.0) % 360.0).astype(np.float32),
    ],
    ids=["from -180", "beyond 360", "from 0", "float32"],
)
@pytest.mark.parametrize("order", [1, -1], ids=["south to north", "north to south"])
def test_longitudes_and_latitudes_in_any_order(tmp_path, longitude, order):
    latitude = np.array([50.0, 50.5, 51.0, 51.5])
    dataset = on_degrees(ensemble(), latitude, longitude).isel(y=slice(None, None, order))
    dataset.to_netcdf(tmp_path / "a.nc")
    np.testing.assert_equal(all_read(files(tmp_path / "a.nc")), WRITTEN)
    grid = grid_of(files(tmp_path / "a.nc"))
    assert grid.geographic
    assert grid.y == (50.0, 50.5, 51.0, 51.5)
    np.testing.assert_allclose(np.array(grid.x) % 360.0, [357.0, 358.0, 359.0, 0.0, 1.0])
    assert np.diff(grid.x).tolist() == [1.0] * 4


@pytest.mark.parametrize("kind", ["axes", "places", "list", "beside a map"])
def test_latitudes_and_longitudes_in_radians(tmp_path, kind):
    """As ICON's files have them."""
    longitude, latitude = lambert_degrees()
    if kind == "axes":
        longitude, latitude = np.arange(-3.0, 2.0), np.array([50.0, 50.5, 51.0, 51.5])
    if kind == "beside a map":
        dataset = ensemble().assign_coords(
            latitude=(("y", "x"), latitude), longitude=(("y", "x"), longitude)
        )
    else:
        dataset = on_degrees(ensemble(), latitude, longitude)
    for role in ("latitude", "longitude"):
        radians = np.deg2rad(dataset[role])
        dataset[role] = radians.assign_attrs(units="radian", standard_name=role)
    if kind == "list":
        dataset = dataset.stack(cell=("y", "x")).reset_index("cell", drop=True)
    dataset.to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc", points="cell" if kind == "list" else ())) as forecast:
        np.testing.assert_array_equal(forecast.field("T2M", 2, 3).ravel(), value(2, 3).ravel())
        places = forecast.grid.longitude_latitude()
    if kind == "axes":
        longitude, latitude = np.meshgrid(longitude, latitude)
    for found, expected in zip(places, (longitude, latitude), strict=True):
        np.testing.assert_allclose(found.ravel(), expected.ravel(), atol=1e-9)


def test_units_are_converted(tmp_path):
    celsius("degC").to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        np.testing.assert_allclose(forecast.field("T2M", 2, 3), value(2, 3), rtol=1e-6)


def test_units_that_the_file_lacks_are_those_of_the_layout(tmp_path):
    silent = ensemble()
    del silent["temperature"].attrs["units"]
    silent.to_netcdf(tmp_path / "a.nc")
    np.testing.assert_equal(all_read(files(tmp_path / "a.nc", units={"T2M": "K"})), WRITTEN)
    with opened(files(tmp_path / "a.nc")) as forecast, pytest.raises(StormdrawError) as caught:
        forecast.field("T2M", 0, 1)
    assert re.search(r"a\.nc: temperature has no units; .*layout\.units\.T2M", str(caught.value))


def test_units_of_the_layout_take_the_place_of_a_word_that_is_none(tmp_path):
    sloppy = ensemble()
    sloppy["temperature"].attrs["units"] = "deg Kelvin"
    sloppy.to_netcdf(tmp_path / "a.nc")
    np.testing.assert_equal(all_read(files(tmp_path / "a.nc", units={"T2M": "K"})), WRITTEN)
    with opened(files(tmp_path / "a.nc")) as forecast, pytest.raises(StormdrawError) as caught:
        forecast.field("T2M", 0, 1)
    said = str(caught.value)
    assert "T2M has the units 'deg Kelvin', expected some of K" in said
    assert said.endswith("; give them as layout.units.T2M")
    celsius("degC").to_netcdf(tmp_path / "b.nc")
    with opened(files(tmp_path / "b.nc", units={"T2M": "K"})) as forecast:
        np.testing.assert_allclose(forecast.field("T2M", 2, 3), value(2, 3), rtol=1e-6)


def test_a_lead_in_steps(tmp_path):
    steps = ensemble().drop_vars(["time", "lead"]).rename(time="step")
    steps.assign_coords(step=[2, 6, 12]).to_netcdf(tmp_path / "a.nc")
    np.testing.assert_equal(
        all_read(files(tmp_path / "a.nc", lead="step", lead_unit="30 minutes")), WRITTEN
    )
    with (
        opened(files(tmp_path / "a.nc", lead="step")) as forecast,
        pytest.raises(StormdrawError) as caught,
    ):
        forecast.field("T2M", 0, 1)
    assert re.search(r"step has no unit of time; .*layout\.lead_unit", str(caught.value))


def test_a_level_is_selected(tmp_path):
    levels = ensemble().assign_coords(level=[500, 850])
    shifts = xr.DataArray([-40.0, 0.0], dims="level")
    own = levels["temperature"]
    levels["temperature"] = (own + shifts).assign_attrs(own.attrs)
    levels.to_netcdf(tmp_path / "a.nc")
    at = {"name": "temperature", "at": {"level": 850}}
    with opened(files(tmp_path / "a.nc", variables={"T2M": at})) as forecast:
        np.testing.assert_allclose(forecast.field("T2M", 2, 6), value(2, 6), rtol=1e-7)
    missing = {"name": "temperature", "at": {"level": 700}}
    with opened(files(tmp_path / "a.nc", variables={"T2M": missing})) as forecast:
        assert forecast.field("T2M", 2, 6) is None
    with opened(files(tmp_path / "a.nc")) as forecast, pytest.raises(StormdrawError) as caught:
        forecast.field("T2M", 2, 6)
    assert re.search(r"temperature has the dimensions .*level.*expected two", str(caught.value))


def test_missing_points_are_nan(tmp_path):
    gaps = ensemble()
    gaps["temperature"][:, :, 1, 2] = np.nan
    gaps.to_netcdf(tmp_path / "a.nc", encoding={"temperature": {"_FillValue": -999.0}})
    with opened(files(tmp_path / "a.nc")) as forecast:
        found = np.isnan(forecast.field("T2M", 7, 1))
    assert np.argwhere(found).tolist() == [[1, 2]]


def test_what_is_missing_is_none(tmp_path):
    ensemble().to_netcdf(tmp_path / "2026060806.nc")
    settings = files(tmp_path / "{init:%Y%m%d%H}.nc")
    with opened(settings, leads=(1, 2), variables=("T2M", "D2M")) as forecast:
        assert forecast.field("T2M", 1, 1) is None
        assert forecast.field("T2M", 2, 2) is None
        assert forecast.field("D2M", 2, 1) is None
        assert forecast.field("T2M", 2, 1) is not None
    with open_forecast(settings, "theirs", datetime(2026, 6, 9), ["T2M"], [1]) as absent:
        assert absent.members == []


def test_a_member_whose_file_lacks_a_lead(tmp_path):
    for member in MEMBERS:
        part = ensemble().sel(realization=member)
        part.isel(time=[0] if member == 2 else [0, 1]).to_netcdf(tmp_path / f"m{member}.nc")
    with opened(files(tmp_path / "m{member}.nc")) as forecast:
        assert forecast.members == [0, 2, 7]
        assert forecast.field("T2M", 2, 3) is None
        np.testing.assert_array_equal(forecast.field("T2M", 7, 3), value(7, 3))


def test_a_deterministic_forecast_is_one_member(tmp_path):
    ensemble().isel(realization=1).drop_vars("realization").to_netcdf(tmp_path / "a.nc")
    with opened(files(tmp_path / "a.nc")) as forecast:
        assert forecast.members == [0]
        np.testing.assert_array_equal(forecast.field("T2M", 0, 3), value(2, 3))


def test_an_analysis_by_its_valid_time(tmp_path):
    analyses = ensemble().isel(realization=0).drop_vars(["start", "lead", "realization"])
    analyses.to_netcdf(tmp_path / "analyses.nc")
    settings = files(tmp_path / "analyses.nc")
    with open_state(settings, "truth", INIT + timedelta(hours=3), ["T2M"]) as state:
        np.testing.assert_array_equal(state.field("T2M"), value(0, 3))
        assert state.grid.shape == (ROWS, COLUMNS)
    with open_state(settings, "truth", INIT + timedelta(hours=2), ["T2M"]) as state:
        assert state.field("T2M") is None
    ensemble().to_netcdf(tmp_path / "members.nc")
    with pytest.raises(StormdrawError, match="holds 3 members; expected an analysis"):
        open_state(files(tmp_path / "members.nc"), "truth", INIT, ["T2M"])


def test_fields_are_read_one_at_a_time(tmp_path, monkeypatch):
    """Only the points of the fields that are asked for are read."""
    ensemble().to_netcdf(tmp_path / "a.nc")
    read = []
    original = NetCDF4ArrayWrapper._getitem

    def counted(self, key):
        values = original(self, key)
        read.append((self.variable_name, values.size))
        return values

    monkeypatch.setattr(NetCDF4ArrayWrapper, "_getitem", counted)
    with opened(files(tmp_path / "a.nc")) as forecast:
        assert forecast.grid is not None
        assert ("lead", len(LEADS)) in read
        assert "temperature" not in dict(read)
        read.clear()
        forecast.field("T2M", 2, 3)
        # Coordinates are known by then.
        assert read == [("temperature", ROWS * COLUMNS)]


def test_few_files_are_open_at_a_time(tmp_path, monkeypatch):
    for member in MEMBERS:
        for place, lead in enumerate(LEADS):
            part = ensemble().isel(time=place).sel(realization=member)
            part.to_netcdf(tmp_path / f"m{member}_f{lead}.nc")
    now_open, most = set(), []
    open_file, close_file = datasets.open_dataset, xr.Dataset.close

    def opened_file(path, engine):
        found = open_file(path, engine)
        now_open.add(id(found))
        most.append(len(now_open))
        return found

    def closed_file(dataset):
        now_open.discard(id(dataset))
        close_file(dataset)

    monkeypatch.setattr(datasets, "_OPEN_AT_ONCE", 4)
    monkeypatch.setattr(datasets, "open_dataset", opened_file)
    monkeypatch.setattr(xr.Dataset, "close", closed_file)
    with opened(files(tmp_path / "m{member}_f{lead}.nc"), leads=(*LEADS, 9)) as forecast:
        for member in MEMBERS:
            for lead in LEADS:
                np.testing.assert_array_equal(
                    forecast.field("T2M", member, lead), value(member, lead)
                )
        assert max(most) == 4
        assert forecast.field("T2M", 0, 9) is None
        assert now_open
    assert not now_open
