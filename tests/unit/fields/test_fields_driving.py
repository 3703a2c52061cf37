"""Driving forecasts on the target grid, and the reader that knows what had been published."""

import dataclasses
import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.driving_schedule import DrivenHour, DrivingForecast, Schedule
from stormdraw.archive.manifest import ManifestRow, write_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving import DrivingReader, forecast_coordinates, write_driving
from stormdraw.fields.driving_statistics import (
    compute_driving_statistics,
    read_driving_statistics,
    write_driving_statistics,
)
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.settings import Fields
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.grib_encoding import new_message, pack, surface_keys
from stormdraw.grids import latitude_longitude
from stormdraw.times import hours
from stormdraw.variables import use_table, variable

import eccodes  # isort: skip  (after stormdraw)

pytestmark = pytest.mark.usefixtures("shipped_table")

GRID = HRRR.crop(slice(500, 512), slice(900, 914))
DAY = datetime(2026, 6, 8)
NAMES = ("T2M", "CAPE")
GFS = Schedule(driving_model("gfs"), 5, 3)
GEFS = Schedule(driving_model("gefs"), 5, 3, run_seed=2)


def needed(schedule, first=DAY, count=24):
    found = set()
    for hour in range(count):
        for one in schedule.possible(first + hours(hour)):
            found.update(forecast for forecast, _ in schedule.weights(one.forecast))
    return sorted(found)


def value_of(forecast, name):
    """A number of its own for each cycle, lead and variable."""
    age = (forecast.cycle - datetime(2026, 6, 1)) / hours(1)
    return 250.0 + age / 8 + forecast.lead / 64 + (100.0 if name == "CAPE" else 0.0)


def files(folder: Path, forecasts, change=lambda one, fields: fields, names=NAMES, incomplete=""):
    """Day files as the rule makes them, each field constant but for a slope along x."""
    paths = []
    for day in sorted({one.cycle.date() for one in forecasts}):
        own = [one for one in forecasts if one.cycle.date() == day]
        path = folder / f"{day:%Y%m%d}.nc"
        path.parent.mkdir(parents=True, exist_ok=True)
        attributes = {"incomplete_times": incomplete}
        leading = forecast_coordinates(own)
        with written_in_parts(
            path, GRID, leading, {name: name for name in names}, attributes
        ) as file:
            for index, one in enumerate(own):
                for name in names:
                    field = np.full(GRID.shape, value_of(one, name), np.float32)
                    file[name][index] = change(one, field + np.arange(GRID.shape[1]) / 4)
        paths.append(path)
    return paths


def test_it_reads_the_forecast_that_drives_each_hour(tmp_path):
    reader = DrivingReader(files(tmp_path, needed(GFS)), NAMES, GFS)
    for init in (DAY + hours(hour) for hour in range(3, 20)):
        for lead in (1, 2, 3):
            hour = GFS.hour(init, lead)
            read = reader.read(hour)
            assert read.shape == (2, *GRID.shape)
            assert read.dtype == np.float32
            for name, field in zip(NAMES, read, strict=True):
                assert field[0, 0] == np.float32(value_of(hour.forecast, name))


def test_a_window_is_a_part_of_the_whole(tmp_path):
    reader = DrivingReader(files(tmp_path, needed(GFS)), NAMES, GFS)
    hour, window = GFS.hour(DAY + hours(6), 2), (slice(2, 7), slice(3, 14))
    out = np.empty((2, 5, 11), np.float32)
    assert reader.read(hour, out, window) is out
    np.testing.assert_array_equal(out, reader.read(hour)[:, 2:7, 3:14])


def test_what_was_published_later_changes_nothing(tmp_path):
    """Whatever becomes of all files of cycles later than the latency, each hour reads the same."""
    forecasts = needed(GFS, DAY, 30)
    before = DrivingReader(files(tmp_path / "before", forecasts), NAMES, GFS)
    for init in (DAY + hours(hour) for hour in range(3, 24)):

        def spoiled(one, field, init=init):
            return field + 1000 if one.cycle + hours(5) > init else field

        folder = tmp_path / f"{init:%H}"
        after = DrivingReader(files(folder, forecasts, spoiled), NAMES, GFS)
        for lead in (1, 2, 3):
            hour = GFS.hour(init, lead)
            np.testing.assert_array_equal(after.read(hour), before.read(hour))


def test_it_refuses_what_had_not_been_published(tmp_path):
    reader = DrivingReader(files(tmp_path, needed(GFS)), NAMES, GFS)
    hour = GFS.hour(DAY + hours(6), 1)
    reader.read(hour)
    newer = DrivingForecast(DAY + hours(6), 0, 6)
    assert newer in needed(GFS)
    leaking = DrivenHour(DAY + hours(10), 2, newer)
    with pytest.raises(StormdrawError, match="published at 2026-06-08 11 UTC and so must not"):
        reader.read(leaking)
    with pytest.raises(StormdrawError, match="must not drive 2026-06-08 10 UTC"):
        reader.read(dataclasses.replace(hour, lead=4))


def test_between_leads_it_is_linear_in_time_but_for_fields_with_a_floor(tmp_path):
    reader = DrivingReader(files(tmp_path, needed(GEFS)), NAMES, GEFS)
    seen = set()
    for init in (DAY + hours(hour) for hour in range(3, 20)):
        hour = GEFS.hour(init, 2)
        before = hour.forecast.lead // 3 * 3
        temperature, cape = reader.read(hour)[:, 0, 0]
        # The values are linear in the lead.
        assert temperature == pytest.approx(value_of(hour.forecast, "T2M"), abs=1e-4)
        nearest = dataclasses.replace(hour.forecast, lead=3 * round(hour.forecast.lead / 3))
        assert cape == np.float32(value_of(nearest, "CAPE"))
        seen.add(hour.forecast.lead - before)
    assert seen == {0, 1, 2}


def test_an_hour_is_complete_if_all_that_drives_it_is(tmp_path):
    hour = GEFS.hour(DAY + hours(9), 1)
    (first, _), (second, _) = GEFS.weights(hour.forecast)
    whole = DrivingReader(files(tmp_path / "whole", needed(GEFS)), NAMES, GEFS)
    assert whole.complete(hour)
    for one in (first, second):
        kept = [other for other in needed(GEFS) if other != one]
        lacking = DrivingReader(files(tmp_path / f"no{one}", kept), NAMES, GEFS)
        assert not lacking.complete(hour)
        with pytest.raises(StormdrawError, match="no driving forecast 20260608"):
            lacking.read(hour)
        folder = tmp_path / f"holes{one}"
        holes = DrivingReader(files(folder, needed(GEFS), incomplete=str(one)), NAMES, GEFS)
        assert not holes.complete(hour)


def test_files_of_two_grids_are_refused(tmp_path):
    one, *others = files(tmp_path, needed(GFS))
    with xr.open_dataset(one) as dataset:
        moved = dataset.load().assign_coords(x=dataset.x + 3000.0)
    moved.to_netcdf(others[0])
    with pytest.raises(StormdrawError, match="its grid is not that of"):
        DrivingReader([one, others[0]], NAMES, GFS)


def test_statistics_are_of_the_ages_that_are_drawn(tmp_path):
    reader = DrivingReader(files(tmp_path / "fields", needed(GFS)), ("T2M",), GFS)
    times = [DAY + hours(hour) for hour in range(24)]
    drawn = [value_of(GFS.draw(time, "statistics").forecast, "T2M") for time in times]
    points = (np.array(drawn)[:, None] + np.arange(GRID.shape[1]) / 4).ravel()
    statistics = compute_driving_statistics(reader, times)
    np.testing.assert_allclose(statistics.mean, points.mean(), rtol=1e-6)
    np.testing.assert_allclose(statistics.std, points.std(), rtol=1e-5)
    write_driving_statistics(statistics, tmp_path / "statistics.nc", {})
    again = read_driving_statistics(tmp_path / "statistics.nc")
    assert (again.variables, again.transforms) == (("T2M",), ("identity",))
    np.testing.assert_array_equal(again.mean, statistics.mean)


def test_statistics_of_nothing_are_an_error(tmp_path):
    reader = DrivingReader(files(tmp_path, needed(GFS)), ("T2M",), GFS)
    with pytest.raises(StormdrawError, match="T2M: no driving forecast of any training hour"):
        compute_driving_statistics(reader, [DAY + hours(500)])


def gfs_message(name, forecast, values, grid):
    row = variable(name)
    times = {
        "dataDate": int(f"{forecast.cycle:%Y%m%d}"),
        "dataTime": int(f"{forecast.cycle:%H%M}"),
        "forecastTime": forecast.lead,
    }
    keys = surface_keys(*row.grib.first_surface) | times
    with new_message(grid, row.grib.parameter, 0, keys) as handle:
        pack(handle, values, 2)
        return eccodes.codes_get_message(handle)


def around(target):
    """The part of a grid of 0.25 degree around a target's points, and a point more on each side."""
    longitude, latitude = target.longitude_latitude()
    west, south = (np.floor(4 * axis.min()) - 1 for axis in (longitude % 360, latitude))
    east, north = (np.ceil(4 * axis.max()) + 1 for axis in (longitude % 360, latitude))
    shape = round(north - south) + 1, round(east - west) + 1
    return latitude_longitude(west / 4, east / 4, south / 4, north / 4, shape)


def write_gfs(folder, there, fields, source, target, lost=(), settings=None):
    """A day's manifest of messages of one forecast, and the file that the rule makes of it."""
    folder.mkdir()
    rows, content = [], b""
    for name, values in fields.items():
        message = gfs_message(name, there, values, source)
        digest = hashlib.sha256(message).hexdigest()
        listed = (len(content), len(message), digest, "here", "ok")
        rows.append(ManifestRow("gfs", name, "", there.cycle, there.lead, "", *listed))
        for one in lost:
            gone = (0, 0, "", "here", "absent", "not in the archive")
            rows.append(ManifestRow("gfs", name, "", one.cycle, one.lead, "", *gone))
        content += message
    (folder / "gfs").write_bytes(content)
    write_manifest(folder / "manifest.csv", rows)
    to = Destination(folder / "out.nc", folder / "quality.csv", settings or Fields(), {})
    model, forecasts = driving_model("gfs"), [there, *lost]
    write_driving(folder / "manifest.csv", model, forecasts, tuple(fields), target, to)
    return to.output


def test_from_grib_to_the_target_grid(tmp_path):
    """A field linear in longitude and latitude is kept by bilinear interpolation, an eastward wind
    is turned by the convergence n (longitude - 97.5 W) of HRRR's map, n = sin 38.5, and what the
    archive lacks is left out and listed. The file has a tenth of the target's points."""
    grid = HRRR.crop(slice(500, 560), slice(900, 980))
    longitude, latitude = grid.longitude_latitude()
    source = around(grid)
    x, y = np.meshgrid(source.x, source.y)
    there, lost = DrivingForecast(DAY, 0, 7), DrivingForecast(DAY, 0, 8)
    fields = {"T2M": 200.0 + 4 * (x - 260.0) + 2 * y, "U10": np.full(x.shape, 10.0)}
    fields["V10"] = np.zeros(x.shape)
    path = write_gfs(tmp_path / "gfs", there, fields, source, Target(grid), [lost])
    with xr.open_dataset(path) as found:
        assert found["T2M"].dims == ("forecast", "y", "x")
        assert found["T2M"][0].size == x.size < grid.shape[0] * grid.shape[1] / 10
        assert found.attrs["absent_forecasts"] == "2026060800+008"
        assert (found["lead"].values.tolist(), found["member"].values.tolist()) == ([7], [0])
        assert found["cycle"].values[0] == np.datetime64("2026-06-08T00")
    reader = DrivingReader([path], tuple(fields), GFS)
    assert reader.grid.matches(grid)
    assert reader.complete(GFS.hour(DAY + hours(5), 2))
    assert not reader.complete(GFS.hour(DAY + hours(5), 3))
    temperature, u, v = reader.read(GFS.hour(DAY + hours(5), 2))
    expected = 200.0 + 4 * (longitude % 360 - 260.0) + 2 * latitude
    # Half a step of 0.01 in the file, and single precision.
    assert np.abs(temperature - expected).max() < 0.006
    angle = np.deg2rad(np.sin(np.deg2rad(38.5)) * (longitude + 97.5))
    assert np.abs(angle).max() > 0.005
    np.testing.assert_allclose(u, 10 * np.cos(angle), atol=1e-4)
    np.testing.assert_allclose(v, 10 * np.sin(angle), atol=1e-4)
    # On its own grid it takes less memory as well, and reads the same from there.
    hour, window = GFS.hour(DAY + hours(5), 2), (slice(2, 7), slice(3, 14))
    from_disk = reader.read(hour, None, window)
    assert reader.hold([hour], 1e9) == 4 * 3 * x.size
    np.testing.assert_array_equal(reader.read(hour, None, window), from_disk)
    np.testing.assert_array_equal(reader.read(hour)[:, 2:7, 3:14], from_disk)


def test_a_day_of_which_nothing_is_there_stops_no_reader(tmp_path):
    """It has no grid but the target's, while the other days are on the driving model's."""
    target = Target(HRRR.crop(slice(500, 560), slice(900, 980)))
    source = around(target.grid)
    field = {"T2M": np.full(source.shape, 280.0)}
    path = write_gfs(tmp_path / "gfs", DrivingForecast(DAY, 0, 7), field, source, target)
    (tmp_path / "none").mkdir()
    day = DAY - hours(24)
    row = ManifestRow("gfs", "T2M", "", day, 7, "", 0, 0, "", "here", "absent", "not there")
    write_manifest(tmp_path / "none" / "manifest.csv", [row])
    to = Destination(tmp_path / "none.nc", tmp_path / "none.csv", Fields(), {})
    lost = DrivingForecast(day, 0, 7)
    model = driving_model("gfs")
    write_driving(tmp_path / "none" / "manifest.csv", model, [lost], ["T2M"], target, to)
    for paths in ([path, to.output], [to.output, path]):
        reader = DrivingReader(paths, ("T2M",), GFS)
        assert reader.grid.matches(target.grid)
        assert reader.gap(GFS.hour(day + hours(5), 2)) == "the archive has no driving forecast " + (
            "2026060700+007"
        )
        assert (reader.read(GFS.hour(DAY + hours(5), 2)) == 280.0).all()


def test_files_of_two_driving_grids_are_refused(tmp_path):
    """For the same target, as where a mirror's files change from a quarter to half a degree."""
    target = Target(HRRR.crop(slice(500, 560), slice(900, 980)))
    fine = around(target.grid)
    west, south = (np.floor(axis[0]) for axis in (fine.x, fine.y))
    coarse = latitude_longitude(west, west + 6, south, south + 4, (9, 13))
    paths = []
    for day, source in enumerate((fine, coarse)):
        field, one = {"T2M": np.full(source.shape, 280.0)}, DAY + hours(24 * day)
        folder = tmp_path / f"{day}"
        paths.append(write_gfs(folder, DrivingForecast(one, 0, 7), field, source, target))
    with pytest.raises(StormdrawError, match="its grid is not that of"):
        DrivingReader(paths, ("T2M",), GFS)


def test_files_for_two_targets_are_refused(tmp_path):
    paths = []
    for first in (900, 901):
        target = Target(HRRR.crop(slice(500, 560), slice(first, first + 80)))
        source = around(HRRR.crop(slice(500, 560), slice(900, 981)))
        field = {"T2M": np.full(source.shape, 280.0)}
        folder, one = tmp_path / f"{first}", DrivingForecast(DAY + hours(first), 0, 7)
        paths.append(write_gfs(folder, one, field, source, target))
    with pytest.raises(StormdrawError, match="its grid is not that of"):
        DrivingReader(paths, ("T2M",), GFS)


def test_no_echo_of_an_earlier_run_is_the_floor(tmp_path):
    """A configuration with a floor of -20 dBZ, driven by HRRR, which writes -10."""
    use_table({"REFC": {"lower": -20, "floor": -20}})
    one = DrivingForecast(DAY, 0, 7)
    echo = np.full(GRID.shape, -10.0)
    echo[2, 3] = 35.0
    content = gfs_message("REFC", one, echo, GRID)
    (tmp_path / "hrrr").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    listed = ("hrrr", "REFC", "", DAY, 7, "", 0, len(content), digest, "here", "ok")
    write_manifest(tmp_path / "manifest.csv", [ManifestRow(*listed)])
    to = Destination(tmp_path / "out.nc", tmp_path / "quality.csv", Fields(), {})
    model = driving_model("hrrr")
    write_driving(tmp_path / "manifest.csv", model, [one], ["REFC"], Target(GRID), to)
    with xr.open_dataset(to.output) as found:
        assert set(np.unique(found["REFC"])) == {-20.0, 35.0}
