from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from taken import to_make, write

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.forecasts import write_members
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.scores.case import score_case
from stormdraw.scores.missing import missing_data

GRID = HRRR.crop(slice(480, 484), slice(880, 885))
INIT = datetime(2026, 6, 8, 6)
STATE = ["T2M", "U10", "V10"]
CASE = Case("href", "reference", INIT, [1, 2], STATE)


@pytest.fixture
def regridded(tmp_path):
    """Three members at two leads; the last one is absent at lead 2."""
    values = np.random.default_rng(0).normal(size=(3, 3, 2, *GRID.shape)).astype(np.float32)
    values[:, 2, 1] = np.nan
    leading = {
        "member": xr.DataArray(["nam_00h", "nam_06h", "hrrr_00h"], dims="member"),
        "lead": lead_coordinate([1, 2]),
        "init": init_coordinate(INIT),
    }
    path = tmp_path / "fields.nc"
    with written_in_parts(path, GRID, leading, {name: name for name in STATE}, {}) as file:
        for name, member in zip(STATE, values, strict=True):
            file[name][:] = member
    return path, values


def test_members_pass_unchanged_with_wind_speed(regridded, tmp_path):
    path, values = regridded
    write_members(to_make(CASE, tmp_path / "href.nc", forecasts=path), 2)
    with xr.open_dataset(tmp_path / "href.nc") as dataset:
        assert np.array_equal(dataset["T2M"].values, values[0], equal_nan=True)
        speed = np.hypot(values[1], values[2])
        assert np.allclose(dataset["WIND10"].values, speed, equal_nan=True)
        assert dataset["member"].values.tolist() == ["nam_00h", "nam_06h", "hrrr_00h"]
        assert dataset.attrs["absent_members"] == "none"


def test_too_few_members_at_a_lead_are_an_error(regridded, tmp_path):
    complaint = "2 members have T2M at lead 2 h, but href needs 3"
    with pytest.raises(StormdrawError, match=complaint):
        write_members(to_make(CASE, tmp_path / "href.nc", forecasts=regridded[0]), 3)
    assert not (tmp_path / "href.nc").exists()


def test_a_member_absent_throughout_is_missing_and_named(regridded, tmp_path):
    path, values = regridded
    only_second = Case("href", "reference", INIT, [2], STATE)
    write_members(to_make(only_second, tmp_path / "href.nc", forecasts=path), 2)
    with xr.open_dataset(tmp_path / "href.nc") as dataset:
        assert dataset["member"].values.tolist() == ["nam_00h", "nam_06h", "hrrr_00h"]
        assert dataset.attrs["absent_members"] == "hrrr_00h"
        assert np.array_equal(dataset["U10"].values[:2, 0], values[1, :2, 1])
        assert np.isnan(dataset["U10"].values[2]).all()


@pytest.fixture
def gappy(tmp_path):
    """Ten members; one lacks T2M at lead 1, three lack the wind at lead 2. And a truth."""
    values = np.random.default_rng(0).normal(280, 3, (3, 10, 2, *GRID.shape)).astype(np.float32)
    values[0, 4, 0] = np.nan
    values[1:, :3, 1] = np.nan
    # Beyond the edge of a member's grid: there all the same.
    values[0, 5, 0, :3] = np.nan
    names = [f"m{k}" for k in range(10)]
    leading = {"member": xr.DataArray(names, dims="member"), "lead": lead_coordinate([1, 2])}
    leading["init"] = init_coordinate(INIT)
    path, truth = tmp_path / "fields.nc", tmp_path / "truth.nc"
    rows = {name: name for name in STATE}
    with written_in_parts(path, GRID, leading, rows, {}) as file:
        for name, members in zip(STATE, values, strict=True):
            file[name][:] = members
    valid = [INIT + timedelta(hours=lead) for lead in (1, 2)]
    times = xr.DataArray(np.array(valid, "M8[ns]"), dims="time")
    with written_in_parts(truth, GRID, {"time": times}, rows, {}) as file:
        for name in STATE:
            file[name][:] = 280.0
    return path, truth, values


@pytest.mark.parametrize("variables", [STATE, ["U10", "V10", "T2M"]])
def test_what_is_there_is_known_by_variable_and_lead(gappy, variables, tmp_path):
    """Whatever the order of the variables: eight members are enough for T2M, not for the wind."""
    path, truth, values = gappy
    case = Case("href", "reference", INIT, [1, 2], variables)
    output, statistics = tmp_path / "href.nc", tmp_path / "scores" / "href.nc"
    with pytest.raises(StormdrawError, match="7 members have U10 at lead 2 h, but href needs 8"):
        write_members(to_make(case, output, forecasts=path), 8)
    write_members(to_make(case, output, forecasts=path), 8, may_be_missing=True)
    with xr.open_dataset(output) as dataset:
        assert np.array_equal(dataset["T2M"].values, values[0], equal_nan=True)
        assert np.array_equal(dataset["U10"].values[:, 0], values[1][:, 0])
        assert np.isnan(dataset["V10"].values[:, 1]).all()
        assert np.isnan(dataset["WIND10"].values[:, 1]).all()
        assert dataset.attrs["absent_members"] == "none"
    score_case(output, [truth], statistics, 0, may_be_missing=True)
    missing = missing_data({"href": [statistics]}).set_index(["variable", "lead_hours"])
    assert missing["absent_members"].to_dict() == {
        ("T2M", 1): 1,
        ("U10", 2): 10,
        ("V10", 2): 10,
        ("WIND10", 2): 10,
    }
    # Of 4 x 5 points, the last row is in all members.
    assert missing["points"].to_dict()["T2M", 1] == 5


def test_a_lead_beyond_the_forecasts(regridded, tmp_path):
    longer = Case("href", "reference", INIT, [1, 9], STATE)
    with pytest.raises(StormdrawError, match="has forecasts of 1, 2 h, but not of 9 h"):
        write_members(to_make(longer, tmp_path / "href.nc", forecasts=regridded[0]), 2)
    assert not (tmp_path / "href.nc").exists()


def test_products_stay_mean_and_spread(tmp_path):
    names = {"T2M_mean": "T2M", "T2M_spread": "T2M"}
    leading = {"lead": lead_coordinate([1, 2]), "init": init_coordinate(INIT)}
    with written_in_parts(tmp_path / "fields.nc", GRID, leading, names, {}) as file:
        file["T2M_mean"][:] = 290.0
        file["T2M_spread"][:] = 1.5
    case = Case("href_products", "reference", INIT, [2], ["T2M"])
    write("products", case, tmp_path / "out.nc", forecasts=tmp_path / "fields.nc")
    longer = Case("href_products", "reference", INIT, [9], ["T2M"])
    with pytest.raises(StormdrawError, match="has forecasts of 1, 2 h, but not of 9 h"):
        write("products", longer, tmp_path / "longer.nc", forecasts=tmp_path / "fields.nc")
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        assert dataset.attrs["distribution"] == "gaussian"
        assert dataset["T2M_mean"].shape == (1, *GRID.shape)
        assert (dataset["T2M_spread"].values == 1.5).all()
        assert dataset.attrs["members_by_lead"] == 10
