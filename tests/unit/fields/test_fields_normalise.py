from datetime import datetime

import numpy as np
import pyproj
import pytest
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.normalise import normalise_day, normalise_static
from stormdraw.fields.settings import Crop, Fields
from stormdraw.grids import HRRR

GRID = HRRR.crop(slice(480, 491), slice(880, 893))
RNG = np.random.default_rng(0)
STATE = ["REFC", "T2M", "U10", "V10"]


def message(name, values, hour, lead=0, grid=GRID):
    init = datetime(2026, 6, 1, hour)
    return {
        "message": {
            "grid": grid,
            "longitude_of_orientation": 262.5,
            "latitude_of_tangency": 38.5,
            "values": values,
            "name": name,
            "init": init,
            "lead": lead,
        }
    }


def fields(hours):
    return {(name, hour): RNG.normal(280, 5, GRID.shape) for name in STATE for hour in range(hours)}


def normalise(manifest, names, folder, threads=1, **settings):
    """The day file and the table of what is suspicious in it."""
    day, quality = folder / "day.nc", folder / "quality.csv"
    normalise_day(manifest, names, Fields(**settings), day, quality, {"names": names}, threads)
    return day, quality


@pytest.fixture
def day(tmp_path, write_manifest):
    values = fields(3)
    manifest = write_manifest(
        tmp_path / "archive" / "hrrr" / "20260601",
        [message(name, field, hour) for (name, hour), field in values.items()],
    )
    return manifest, values


def test_a_day_comes_out_as_it_went_in(day, tmp_path):
    manifest, values = day
    normalise(manifest, STATE, tmp_path)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        assert dataset["T2M"].dims == ("time", "y", "x")
        assert dataset["T2M"].dtype == np.float32
        assert dataset["time"].values[2] == np.datetime64("2026-06-01T02")
        for (name, hour), field in values.items():
            assert np.abs(dataset[name].values[hour] - field).max() < 1e-4
        assert {"title", "source", "history", "stormdraw_commit", "settings_hash"} <= set(
            dataset.attrs
        )


def test_coordinates_agree_with_the_grid_mapping(day, tmp_path):
    normalise(day[0], STATE, tmp_path)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        mapping = dataset[dataset["T2M"].attrs["grid_mapping"]].attrs
        crs = pyproj.CRS.from_cf({k: v for k, v in mapping.items() if k != "proj4"})
        project = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
        x, y = project.transform(dataset["longitude"].values, dataset["latitude"].values)
        assert np.abs(x - dataset["x"].values).max() < 1.0
        assert np.abs(y - dataset["y"].values[:, None]).max() < 1.0


def test_one_hour_forecasts_take_their_valid_time(tmp_path, write_manifest):
    manifest = write_manifest(
        tmp_path / "20260601", [message("T2M", np.full(GRID.shape, 290.0), 23, lead=1)]
    )
    normalise(manifest, ["T2M"], tmp_path)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        assert dataset["time"].values[0] == np.datetime64("2026-06-02T00")


def test_crop_keeps_the_named_rows_and_columns(day, tmp_path):
    manifest, values = day
    crop = Crop(rows=(2, 9), columns=(1, 5))
    normalise(manifest, STATE, tmp_path, crop=crop)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        expected = values["T2M", 1][2:9, 1:5]
        assert np.abs(dataset["T2M"].values[1] - expected).max() < 1e-4
        assert np.allclose(dataset["x"].values, GRID.x[1:5], atol=1.0)


def test_crop_beyond_the_grid_is_an_error(day, tmp_path):
    with pytest.raises(StormdrawError, match="has 11 x 13 points"):
        normalise(day[0], STATE, tmp_path, crop=Crop(rows=(0, 12), columns=(0, 5)))
    assert not (tmp_path / "day.nc").exists()


def test_suspicious_values_are_kept_and_counted(tmp_path, write_manifest):
    dew_point = np.full(GRID.shape, 285.0)
    dew_point[3, 4] = 209.4
    manifest = write_manifest(tmp_path / "20260601", [message("D2M", dew_point, 0)])
    normalise(manifest, ["D2M"], tmp_path)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        assert dataset["D2M"].attrs["suspicious_points"] == 1
        assert np.isclose(dataset["D2M"].values[0, 3, 4], 209.4, atol=1e-3)


def test_a_missing_point_is_an_error(tmp_path, write_manifest):
    holed = np.full(GRID.shape, 285.0)
    holed[0, :2] = np.nan
    manifest = write_manifest(tmp_path / "20260601", [message("T2M", holed, 0)])
    with pytest.raises(StormdrawError, match=r"messages\.grib2: T2M is missing at 2 of 143 points"):
        normalise(manifest, ["T2M"], tmp_path)
    assert not (tmp_path / "day.nc").exists()


def test_a_grid_that_changes_within_the_day_is_an_error(tmp_path, write_manifest):
    other = HRRR.crop(slice(479, 490), slice(880, 893))
    manifest = write_manifest(
        tmp_path / "20260601",
        [
            message("T2M", np.full(GRID.shape, 285.0), 0),
            message("T2M", np.full(GRID.shape, 285.0), 1, grid=other),
        ],
    )
    with pytest.raises(StormdrawError, match="the grid at 01 UTC differs"):
        normalise(manifest, ["T2M"], tmp_path)


def test_bytes_that_changed_since_the_fetch_are_an_error(day, tmp_path):
    file = day[0].parent / "messages.grib2"
    content = bytearray(file.read_bytes())
    content[400] ^= 1
    file.write_bytes(content)
    with pytest.raises(StormdrawError, match="is not the one that was fetched; delete"):
        normalise(day[0], STATE, tmp_path)


def test_static_fields_have_no_time(tmp_path, write_manifest):
    terrain = RNG.uniform(300, 900, GRID.shape)
    manifest = write_manifest(tmp_path / "20260601", [message("OROG", terrain, 0)])
    normalise_static(manifest, ["OROG"], Fields(), tmp_path / "static.nc", {})
    with xr.open_dataset(tmp_path / "static.nc") as dataset:
        assert dataset["OROG"].dims == ("y", "x")
        assert np.abs(dataset["OROG"].values - terrain).max() < 1e-3
