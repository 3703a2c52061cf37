from datetime import timedelta

import numpy as np
import pytest
import xarray as xr
from state_files import GRID, TIMES, two_days

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader
from stormdraw.fields.statistics import compute_statistics, read_statistics, write_statistics
from stormdraw.grids import Grid


@pytest.fixture
def days(tmp_path):
    """Two day files, (time, y, x), and the same values as one array by name."""
    rng = np.random.default_rng(0)
    values = {
        "T2M": rng.normal(290, 0.5, size=(48, 5, 4)).astype(np.float32),
        "CAPE": rng.gamma(1.0, 400.0, size=(48, 5, 4)).astype(np.float32),
        "CIN": np.zeros((48, 5, 4), dtype=np.float32),
    }
    return two_days(tmp_path, values), values


def test_moments_are_numpys(days):
    paths, values = days
    statistics = compute_statistics(paths, ["T2M", "CAPE"], TIMES)
    root = np.sqrt(values["CAPE"].astype(float))
    temperature = values["T2M"].astype(float)
    assert np.allclose(statistics.mean, [temperature.mean(), root.mean()], rtol=1e-6)
    assert np.allclose(statistics.std, [temperature.std(), root.std()], rtol=1e-6)
    changes = [np.diff(temperature, axis=0), np.diff(root, axis=0)]
    assert np.allclose(statistics.tendency_std, [change.std() for change in changes], rtol=1e-6)
    assert np.allclose(statistics.tendency_mean, [c.mean() for c in changes], atol=1e-6)


def test_a_constant_is_left_alone(days):
    statistics = compute_statistics(days[0], ["CIN"], TIMES)
    assert (statistics.mean[0], statistics.std[0], statistics.tendency_std[0]) == (0.0, 1.0, 1.0)


def test_only_the_asked_times_count(days):
    paths, values = days
    statistics = compute_statistics(paths, ["T2M"], TIMES[:30])
    assert np.isclose(statistics.mean[0], values["T2M"][:30].astype(float).mean(), rtol=1e-7)


def test_a_gap_gives_no_tendency(days):
    paths, values = days
    times = [TIMES[0], TIMES[1], TIMES[5], TIMES[6]]
    statistics = compute_statistics(paths, ["T2M"], times)
    field = values["T2M"].astype(float)
    changes = np.stack([field[1] - field[0], field[6] - field[5]])
    assert np.isclose(statistics.tendency_std[0], changes.std(), rtol=1e-6)


def test_an_absent_time_is_an_error(days):
    with pytest.raises(StormdrawError, match="no field at 2026-06-03 00 UTC"):
        compute_statistics(days[0], ["T2M"], [*TIMES, TIMES[-1] + timedelta(hours=1)])


def test_an_absent_variable_is_an_error(days):
    with pytest.raises(StormdrawError, match=r"has no REFC"):
        compute_statistics(days[0], ["REFC"], TIMES)


@pytest.fixture
def holed(days):
    """The same days, T2M missing at a point for an hour and CAPE everywhere."""
    paths, values = days
    values["T2M"][5, 1, 2] = np.nan
    values["CAPE"][:] = np.nan
    for day, path in enumerate(paths):
        with xr.open_dataset(path) as dataset:
            changed = dataset.load()
        for name in ("T2M", "CAPE"):
            changed[name][:] = values[name][24 * day : 24 * day + 24]
        changed.to_netcdf(path)
    return paths, values["T2M"].astype(float)


def test_missing_points_do_not_count(holed):
    paths, temperature = holed
    statistics = compute_statistics(paths, ["T2M"], TIMES)
    assert np.isclose(statistics.mean[0], np.nanmean(temperature), rtol=1e-7)
    assert np.isclose(statistics.std[0], np.nanstd(temperature), rtol=1e-6)
    assert np.isclose(
        statistics.tendency_std[0], np.nanstd(np.diff(temperature, axis=0)), rtol=1e-6
    )


def test_a_variable_without_a_valid_point_is_an_error(holed):
    with pytest.raises(StormdrawError, match="CAPE: no valid point at any training time"):
        compute_statistics(holed[0], ["T2M", "CAPE"], TIMES)


def test_round_trip_through_the_file(days, tmp_path):
    statistics = compute_statistics(days[0], ["T2M", "CAPE", "CIN"], TIMES)
    write_statistics(statistics, tmp_path / "statistics.nc", {"variables": ["T2M"]})
    again = read_statistics(tmp_path / "statistics.nc")
    assert (again.variables, again.transforms) == (statistics.variables, statistics.transforms)
    for name in ("mean", "std", "tendency_mean", "tendency_std"):
        assert np.array_equal(getattr(again, name), getattr(statistics, name))


@pytest.mark.parametrize(
    "other",
    [
        HRRR.crop(slice(501, 506), slice(900, 904)),
        Grid(GRID.crs.replace("38.5", "38.6"), GRID.x, GRID.y),
    ],
    ids=["moved", "of another map"],
)
def test_days_on_two_grids_of_one_shape_are_not_pooled(days, tmp_path, other):
    with xr.open_dataset(days[0][1]) as day:
        moved = day.drop_vars(["x", "y", "latitude", "longitude", "projection"]).load()
    moved.assign_coords(other.coordinates()).to_netcdf(tmp_path / "moved.nc")
    paths = [days[0][0], tmp_path / "moved.nc"]
    with pytest.raises(StormdrawError, match=r"moved\.nc: its grid is not that of .*0\.nc; delete"):
        StateReader(paths, ["T2M"])
    with pytest.raises(StormdrawError, match="its grid is not that of"):
        compute_statistics(paths, ["T2M"], TIMES)


def test_days_whose_headers_differ_in_the_last_digit_are(days, tmp_path):
    """A microdegree is 0.11 m."""
    near = Grid(GRID.crs, tuple(x + 0.11 for x in GRID.x), tuple(y - 0.11 for y in GRID.y))
    with xr.open_dataset(days[0][1]) as day:
        moved = day.drop_vars(["x", "y", "latitude", "longitude", "projection"]).load()
    moved.assign_coords(near.coordinates()).to_netcdf(tmp_path / "near.nc")
    paths = [days[0][0], tmp_path / "near.nc"]
    whole = compute_statistics(days[0], ["T2M"], TIMES)
    assert np.array_equal(compute_statistics(paths, ["T2M"], TIMES).mean, whole.mean)
