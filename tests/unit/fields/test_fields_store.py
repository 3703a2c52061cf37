"""What is written comes back: through our reader, xarray, a compliance checker, GDAL and ncdump."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields import day_files
from stormdraw.fields.day_files import DayFile
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.settings import Store
from stormdraw.fields.states import StateReader
from stormdraw.provenance import attributes

GRID = HRRR.crop(slice(711, 718), slice(366, 375))
NAMES = ["REFC", "T2M", "U10", "V10"]
STORES: list[Store] = ["fast", "compact"]
TIMES = [datetime(2026, 6, 1) + timedelta(hours=hour) for hour in range(5)]
STATES = np.random.default_rng(0).normal(280, 9, (5, 4, *GRID.shape)).astype(np.float32)
STATES[3, 1, 2, 2] = np.nan


def write_day(path: Path, store: Store, states: np.ndarray = STATES) -> Path:
    times = xr.DataArray(
        np.array(TIMES[: len(states)], "datetime64[ns]"),
        dims="time",
        attrs={"standard_name": "time", "axis": "T"},
    )
    names = {name: name for name in NAMES}
    with written_in_parts(
        path, GRID, {"time": times}, names, attributes("A day", "a test", {}), store
    ) as file:
        for hour, state in enumerate(states):
            for name, field in zip(NAMES, state, strict=True):
                file[name][hour] = field
    return path


@pytest.fixture(params=STORES)
def day(request, tmp_path):
    return write_day(tmp_path / "day.nc", request.param)


def test_states_come_back_in_any_order(day):
    """To 2^-8: the compact store rounds to 1/128."""
    reader = StateReader([day], NAMES[::-1])
    out = np.full((4, *GRID.shape), 7.0, np.float32)
    for hour in (4, 0, 3, 1):
        assert reader.read(TIMES[hour], out) is out
        assert np.allclose(out, STATES[hour, ::-1], rtol=0, atol=2.0**-8, equal_nan=True)


def test_the_fast_store_is_exact(tmp_path):
    reader = StateReader([write_day(tmp_path / "day.nc", "fast")], NAMES)
    assert np.array_equal(reader.read(TIMES[3]), STATES[3], equal_nan=True)


def test_neither_store_needs_the_library_to_be_read(day):
    """Both lie in the file as the fast path expects them."""
    with_library = [name for name, layout in DayFile(day)._layouts.items() if layout is None]
    assert with_library == []


def test_xarray_sees_the_same(day):
    with xr.open_dataset(day) as dataset:
        for name in NAMES:
            ours = StateReader([day], [name])
            theirs = dataset[name].values
            assert all(
                np.array_equal(ours.read(time)[0], theirs[i], equal_nan=True)
                for i, time in enumerate(TIMES)
            )


@pytest.mark.parametrize(
    "encoding",
    [
        {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768},
        {"dtype": "float32", "zlib": True, "chunksizes": (1, 4, 4)},
        {"dtype": "float32", "zlib": True, "chunksizes": (2, 7, 9)},
        {"dtype": "float32", "fletcher32": True, "chunksizes": (1, 7, 9)},
    ],
)
def test_files_of_others_are_decoded_by_their_attributes(tmp_path, encoding):
    dataset = xr.Dataset(
        {"T2M": (("time", "y", "x"), STATES[:, 1] - 280)},
        coords={"time": np.array(TIMES, "M8[ns]"), **GRID.coordinates()},
    )
    dataset.to_netcdf(tmp_path / "day.nc", encoding={"T2M": encoding})
    reader = StateReader([tmp_path / "day.nc"], ["T2M"])
    expected = STATES[3, 1] - 280
    assert np.allclose(reader.read(TIMES[3])[0], expected, atol=0.006, equal_nan=True)
    part = reader.read(TIMES[3], window=(slice(1, 4), slice(2, 9)))
    assert np.allclose(part[0], expected[1:4, 2:9], atol=0.006, equal_nan=True)


def test_threads_may_share_a_reader(day):
    reader = StateReader([day], NAMES)
    expected = [reader.read(time) for time in TIMES]
    with ThreadPoolExecutor(4) as pool:
        for i, state in enumerate(pool.map(reader.read, TIMES * 20)):
            assert np.array_equal(state, expected[i % len(TIMES)], equal_nan=True)


def test_a_file_made_anew_is_read_anew(tmp_path):
    path = write_day(tmp_path / "day.nc", "fast")
    StateReader([path], NAMES).read(TIMES[0])
    write_day(path, "fast", STATES[::-1])
    assert np.array_equal(StateReader([path], NAMES).read(TIMES[0]), STATES[4])


@pytest.mark.parametrize("store", STORES)
def test_a_file_cut_off_is_an_error(tmp_path, store):
    path = write_day(tmp_path / "day.nc", store)
    reader = DayFile(path)
    with open(path, "r+b") as stream:
        stream.truncate(path.stat().st_size - 200)
    with pytest.raises(StormdrawError, match=r"day\.nc: damaged \(the file ends before the field"):
        reader.read(NAMES, 4)


def test_a_spoilt_file_is_an_error(tmp_path):
    path = write_day(tmp_path / "day.nc", "compact")
    reader = DayFile(path)
    offset, size = reader._layouts["T2M"].places[2, 0]
    with open(path, "r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * size)
    with pytest.raises(StormdrawError, match=r"day\.nc: damaged \(Error -3"):
        reader.read(NAMES, 2)
    assert np.isfinite(reader.read(NAMES, 1)).all()


# Three bands of the compact store, the last of them cut off by the edge.
TALL = HRRR.crop(slice(600, 750), slice(366, 375))


@pytest.fixture(scope="module", params=STORES)
def tall(request, tmp_path_factory):
    """A day file of two hours on a grid of many rows, and what is in it."""
    path = tmp_path_factory.mktemp(request.param) / "day.nc"
    times = xr.DataArray(np.array(TIMES[:2], "datetime64[ns]"), dims="time")
    # Steps that the compact store keeps.
    values = np.random.default_rng(1).integers(0, 999, (2, 4, *TALL.shape)).astype(np.float32) / 8
    names = {name: name for name in NAMES}
    with written_in_parts(path, TALL, {"time": times}, names, {}, request.param) as file:
        for name, fields in zip(NAMES, values.swapaxes(0, 1), strict=True):
            file[name][:] = fields
    return path, values


@pytest.mark.parametrize(
    "window",
    [
        (slice(0, 150), slice(0, 9)),
        (slice(3, 11), slice(2, 5)),
        (slice(60, 130), slice(0, 9)),
        (slice(64, 128), slice(8, 9)),
        (slice(None), slice(4, None)),
        (slice(149, 150), slice(0, 1)),
    ],
)
def test_a_part_of_the_grid_is_that_of_the_whole(tall, window):
    path, values = tall
    part = StateReader([path], NAMES).read(TIMES[1], window=window)
    assert np.array_equal(part, values[1][:, window[0], window[1]])
    assert part.flags.c_contiguous


def test_of_a_crop_no_more_than_its_rows_are_read(tall, monkeypatch):
    path, _ = tall
    read, plain = [], os.preadv

    def counting(descriptor, views, place):
        read.append(plain(descriptor, views, place))
        return read[-1]

    file = DayFile(path)
    monkeypatch.setattr(os, "preadv", counting)
    file.read(NAMES, 1, window=(slice(70, 80), slice(2, 6)))
    if "fast" in str(path):
        assert sum(read) == 4 * 10 * 9 * 4
    else:
        # One of three bands.
        assert sum(read) == sum(file._layouts[name].places[1, 1, 1] for name in NAMES)


def test_files_beyond_those_that_stay_open_are_not_looked_through_again(tmp_path, monkeypatch):
    paths = [write_day(tmp_path / f"{n}.nc", "fast", STATES[n:]) for n in range(3)]
    one_open = functools.lru_cache(maxsize=1)(day_files._opened.__wrapped__)
    monkeypatch.setattr(day_files, "_opened", one_open)
    files = [day_files.day_file(path) for path in paths]
    monkeypatch.setattr(day_files.h5py, "File", None)
    for _ in range(2):
        for n, path in enumerate(paths):
            assert day_files.day_file(path) is files[n]
            state = day_files.day_file(path).read(NAMES, 0)
            assert np.array_equal(state, STATES[n], equal_nan=True)
    assert one_open.cache_info().misses == 6


def test_wrong_memory_is_refused(day):
    with pytest.raises(ValueError, match=r"out must be float32"):
        StateReader([day], NAMES).read(TIMES[0], np.empty((4, *GRID.shape)))


def complaints(paths: list[Path]) -> str:
    """What a compliance checker has to say about CF-1.11, as text."""
    checker = Path(sys.executable).with_name("compliance-checker")
    command = [str(checker), "--test=cf:1.11", "--criteria=strict", *map(str, paths)]
    run = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.stdout


def test_all_kinds_of_files_follow_cf(tmp_path):
    paths = [write_day(tmp_path / f"{store}.nc", store) for store in STORES]
    leading = {
        "member": xr.DataArray(
            ["nam_00", "hrrr_06"], dims="member", attrs={"standard_name": "realization"}
        ),
        "lead": lead_coordinate([1, 2, 3]),
        "init": init_coordinate(TIMES[0]),
    }
    description = attributes("Members", "a test", {})
    paths.append(tmp_path / "members.nc")
    with written_in_parts(paths[-1], GRID, leading, {"CAPE": "CAPE"}, description) as file:
        file["CAPE"][:] = 100.0
    paths.append(tmp_path / "static.nc")
    with written_in_parts(paths[-1], GRID, {}, {"OROG": "OROG"}, description) as file:
        file["OROG"][:] = 100.0
    text = complaints(paths)
    assert text.count("All tests passed!") == len(paths), text


def test_gdal_sees_the_right_projection(tmp_path):
    day = write_day(tmp_path / "day.nc", "fast")
    rio = Path(sys.executable).with_name("rio")
    run = subprocess.run(
        [str(rio), "info", f"netcdf:{day}:T2M"], text=True, capture_output=True, check=True
    )
    found = json.loads(run.stdout)
    assert found["shape"] == list(GRID.shape)
    assert found["count"] == len(TIMES)
    dx, _, west, _, dy, north = found["transform"][:6]
    assert (dx, dy) == (3000.0, -3000.0)
    assert west == pytest.approx(GRID.x[0] - 1500)
    assert north == pytest.approx(GRID.y[-1] + 1500)
    crs = pyproj.CRS.from_wkt(found["crs"])
    transformer = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    x, y = transformer.transform(*GRID.longitude_latitude())
    assert np.allclose(x, GRID.x, atol=0.01)
    assert np.allclose(y, np.array(GRID.y)[:, None], atol=0.01)


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="ncdump is not installed")
def test_ncdump_tells_the_projection_and_the_values(day):
    run = subprocess.run(
        ["ncdump", "-p", "9", "-v", "T2M", str(day)], text=True, capture_output=True, check=True
    )
    for line in (
        'T2M:grid_mapping = "projection"',
        'projection:grid_mapping_name = "lambert_conformal_conic"',
        "projection:longitude_of_central_meridian = -97.5",
        "projection:standard_parallel = 38.5",
        "projection:semi_major_axis = 6371229.",
    ):
        assert re.search(rf"^\s*{re.escape(line)}", run.stdout, flags=re.MULTILINE), line
    listed = re.search(r"^ T2M =([^;]*);", run.stdout, flags=re.MULTILINE)
    values = [float(text.strip().replace("_", "nan")) for text in listed[1].split(",")]
    expected = STATES[:, NAMES.index("T2M")].ravel()
    assert np.allclose(values, expected, rtol=0, atol=2.0**-7, equal_nan=True)
