import hashlib
from datetime import datetime
from pathlib import Path

import eccodes
import numpy as np
import pandas as pd
import pyproj
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_extents import find_messages

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.manifest import ManifestRow
from stormdraw.archive.manifest import write_manifest as write_rows
from stormdraw.errors import StormdrawError
from stormdraw.fields.normalise import normalise_day, normalise_static
from stormdraw.fields.quality import read_findings
from stormdraw.fields.settings import Crop, Fields
from stormdraw.fields.states import incomplete_times, read_grid_of, read_states
from stormdraw.fields.truth import TruthInputs, VariableTruth, write_truth
from stormdraw.fields.writing import Destination, read_together
from stormdraw.messages import opened, read_header, read_messages
from stormdraw.variables import use_table

pytestmark = pytest.mark.usefixtures("shipped_table")

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


def normalise(manifest, names, folder, threads=1, suspicious="keep", **settings):
    """The day file and the table of what is suspicious in it; reflectivities here are absurd."""
    day, quality = folder / "day.nc", folder / "quality.csv"
    chosen = Fields(suspicious=suspicious, **settings)
    to = Destination(day, quality, chosen, {"names": names}, threads)
    normalise_day(manifest, names, to)
    return day, quality


def into(output):
    return Destination(output, output.with_suffix(".csv"), Fields(), {})


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


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.tuples(st.integers(0, 1000), st.integers(0, 1700), *[st.integers(2, 30)] * 2),
    store=st.sampled_from(["fast", "compact"]),
    seed=st.integers(0, 2**32),
)
def test_any_crop_comes_back_through_the_whole_stage(
    place, store, seed, tmp_path_factory, write_manifest
):
    folder = tmp_path_factory.mktemp("crop")
    row, column, rows, columns = place
    grid = HRRR.crop(slice(row, row + rows), slice(column, column + columns))
    field = np.random.default_rng(seed).normal(280, 20, grid.shape)
    manifest = write_manifest(folder, [message("T2M", field, 5, grid=grid)])
    day, _ = normalise(manifest, ["T2M"], folder, store=store)
    (_, state), *rest = read_states([day], ["T2M"], [datetime(2026, 6, 1, 5)])
    assert rest == []
    assert np.abs(state[0] - field).max() < 2.0**-7
    assert np.allclose(read_grid_of(day).x, grid.x, atol=1.0)
    assert np.allclose(read_grid_of(day).y, grid.y, atol=1.0)


def test_threads_change_nothing(day, tmp_path):
    normalise(day[0], STATE, tmp_path / "one")
    normalise(day[0], STATE, tmp_path / "two", threads=3)
    with (
        xr.open_dataset(tmp_path / "one" / "day.nc") as one,
        xr.open_dataset(tmp_path / "two" / "day.nc") as two,
    ):
        assert one.drop_attrs().identical(two.drop_attrs())


def manifest_of(path: Path, names: list[str], folder: Path) -> Path:
    """A manifest of a real file's messages of these variables."""
    rows = []
    for extent, content in zip(find_messages(path), read_messages(path), strict=True):
        with opened(content) as handle:
            header = read_header(handle)
        if header.variable and header.variable.name in names:
            rows.append(
                ManifestRow(
                    *(str(path), header.variable.name, "", header.init, header.lead, ""),
                    *(extent.offset, extent.length, hashlib.sha256(content).hexdigest()),
                    *("test", "ok"),
                )
            )
    write_rows(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


def test_real_coordinates_agree_with_the_gribs_to_a_metre(tmp_path, real_data):
    path = real_data / "hrrr_idaho" / "hrrr.20180722" / "hrrr.t05z.wrfsfcf01.grib2"
    names = ["T2M", "U10", "V10"]
    day, _ = normalise(manifest_of(path, names, tmp_path), names, tmp_path)
    with opened(next(read_messages(path))) as handle:
        latitude, longitude = (
            eccodes.codes_get_array(handle, key).reshape(78, 41)
            for key in ("latitudes", "longitudes")
        )
    with xr.open_dataset(day) as dataset:
        crs = pyproj.CRS.from_wkt(dataset["projection"].attrs["crs_wkt"])
        project = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
        x, y = project.transform(longitude, latitude)
        assert np.abs(x - dataset["x"].values).max() < 1.0
        assert np.abs(y - dataset["y"].values[:, None]).max() < 1.0


def test_whole_blocks_are_averaged_after_the_crop(day, tmp_path):
    manifest, values = day
    path, _ = normalise(
        manifest, STATE, tmp_path, crop=Crop(rows=(2, 9), columns=(1, 11)), coarsen=3
    )
    with xr.open_dataset(path) as dataset:
        assert dataset["T2M"].shape == (3, 2, 3)
        part = values["T2M", 1][2:9, 1:11]
        by_hand = [
            [part[:3, :3].mean(), part[:3, 3:6].mean(), part[:3, 6:9].mean()],
            [part[3:6, :3].mean(), part[3:6, 3:6].mean(), part[3:6, 6:9].mean()],
        ]
        assert np.allclose(dataset["T2M"].values[1], by_hand, atol=1e-4)
        assert np.allclose(np.diff(dataset["x"]), 9_000)
        assert np.isclose(dataset["y"].values[1], np.mean(GRID.y[5:8]), atol=1.0)


def test_coarsening_a_grid_away_is_an_error(day, tmp_path):
    with pytest.raises(StormdrawError, match="coarsen is 6, but the grid has only 11 x 13"):
        normalise(day[0], STATE, tmp_path, coarsen=6)


def test_compass_winds_are_turned_to_the_grid(tmp_path, write_manifest):
    west = [
        message(name, np.full(GRID.shape, wind), 0) for name, wind in (("U10", 10.0), ("V10", 0.0))
    ]
    for entry in west:
        entry["message"]["grid_relative"] = False
    path, _ = normalise(write_manifest(tmp_path / "a", west), ["U10", "V10"], tmp_path)
    # The cone of HRRR's map: sin(38.5 degrees) of the distance from 97.5 W.
    angle = np.deg2rad(np.sin(np.deg2rad(38.5)) * (GRID.longitude_latitude()[0] + 97.5))
    with xr.open_dataset(path) as dataset:
        assert np.allclose(dataset["U10"].values[0], 10 * np.cos(angle), atol=1e-4)
        assert np.allclose(dataset["V10"].values[0], 10 * np.sin(angle), atol=1e-4)
        assert "x and y axes of this file's grid" in dataset.attrs["wind_convention"]


def test_components_of_a_vector_are_read_together_and_all_else_alone():
    assert read_together(["U10", "T2M", "V10"]) == [("T2M",), ("U10", "V10")]
    assert read_together(["T2M"]) == [("T2M",)]


def test_of_an_hour_that_lacks_a_variable_the_others_are_there(day, tmp_path):
    """As truth they count; no model learns from such an hour. The wind is turned as a pair."""
    manifest, _ = day
    table = pd.read_csv(manifest, dtype=str)
    table.loc[(table["variable"] == "U10") & table["init"].str.endswith("01"), "status"] = "absent"
    table.to_csv(manifest, index=False)
    path, _ = normalise(manifest, STATE, tmp_path)
    with xr.open_dataset(path) as dataset:
        assert [int(hour) for hour in dataset["time"].dt.hour] == [0, 1, 2]
        there = {name for name in STATE if np.isfinite(dataset[name].values[1]).all()}
        assert there == {"REFC", "T2M"}
        assert np.isnan(dataset[["U10", "V10"]].to_array().values[:, 1]).all()
        assert dataset.attrs["absent_times"] == ""
    assert incomplete_times([path]) == {datetime(2026, 6, 1, 1)}
    for name in ("U10", "V10"):
        assert incomplete_times([path], [name]) == {datetime(2026, 6, 1, 1)}
    assert incomplete_times([path], ["REFC", "T2M"]) == set()


def test_an_hour_of_which_nothing_is_there_is_left_out(day, tmp_path):
    manifest, _ = day
    table = pd.read_csv(manifest, dtype=str)
    table.loc[table["init"].str.endswith("01"), "status"] = "absent"
    table.to_csv(manifest, index=False)
    path, _ = normalise(manifest, STATE, tmp_path)
    with xr.open_dataset(path) as dataset:
        assert [int(hour) for hour in dataset["time"].dt.hour] == [0, 2]
        assert dataset.attrs["absent_times"] == "2026060101"
    assert incomplete_times([path]) == set()


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


def test_no_echo_is_a_floor_below_the_base_models_too(tmp_path, write_manifest):
    """A configuration with a floor of -20 dBZ: HRRR's -10 are -20, in states as in forecasts."""
    use_table({"REFC": {"lower": -20, "floor": -20}})
    echo = np.full(GRID.shape, -10.0)
    echo[2, 3], echo[2, 4] = 35.0, -9.0
    manifest = write_manifest(
        tmp_path / "archive" / "hrrr" / "20260601", [message("REFC", echo, 0)]
    )
    to = into(tmp_path / "day.nc")
    normalise_day(manifest, ["REFC"], to, no_echo=-10.0)
    truths = {"REFC": VariableTruth("a", no_echo=-10.0)}
    write_truth(TruthInputs(manifest, [to.output]), truths, into(tmp_path / "truth.nc"))
    for path in (to.output, tmp_path / "truth.nc"):
        with xr.open_dataset(path) as day:
            values = day["REFC"].values[0]
        assert (values[2, 3], values[2, 4]) == (35.0, -9.0)
        assert set(np.unique(values)) == {-20.0, -9.0, 35.0}


def test_crop_keeps_the_named_rows_and_columns(day, tmp_path):
    manifest, values = day
    crop = Crop(rows=(2, 9), columns=(1, 5))
    normalise(manifest, STATE, tmp_path, crop=crop)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        expected = values["T2M", 1][2:9, 1:5]
        assert np.abs(dataset["T2M"].values[1] - expected).max() < 1e-4
        assert np.allclose(dataset["x"].values, GRID.x[1:5], atol=1.0)


@pytest.mark.parametrize("bounds", [((0, 12), (0, 5)), ((0, 5), (0, 14))])
def test_crop_beyond_the_grid_is_an_error(bounds, day, tmp_path):
    with pytest.raises(StormdrawError, match="has 11 x 13 points"):
        normalise(day[0], STATE, tmp_path, crop=Crop(rows=bounds[0], columns=bounds[1]))
    assert not (tmp_path / "day.nc").exists()


def test_suspicious_values_are_kept_and_counted(tmp_path, write_manifest):
    dew_point = np.full(GRID.shape, 285.0)
    dew_point[3, 4] = 209.4
    manifest = write_manifest(tmp_path / "20260601", [message("D2M", dew_point, 0)])
    normalise(manifest, ["D2M"], tmp_path)
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        assert dataset["D2M"].attrs["suspicious_points"] == 1
        assert np.isclose(dataset["D2M"].values[0, 3, 4], 209.4, atol=1e-3)
    (finding,) = read_findings([tmp_path / "quality.csv"]).to_dict("records")
    assert (finding["variable"], finding["suspicious"], finding["treatment"]) == ("D2M", 1, "keep")


def test_suspicious_values_are_masked_and_counted(tmp_path, write_manifest):
    dew_point = np.full(GRID.shape, 285.0)
    dew_point[3, 4] = 209.4
    manifest = write_manifest(tmp_path / "20260601", [message("D2M", dew_point, 0)])
    normalise(manifest, ["D2M"], tmp_path, suspicious="mask")
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        assert dataset["D2M"].attrs["suspicious_points"] == 1
        assert np.argwhere(np.isnan(dataset["D2M"].values[0])).tolist() == [[3, 4]]


def with_sentinel(hours, spoilt):
    """Dew points by hour; at three points of the hour `spoilt` they are what HRRR's f00 has."""
    fields = [np.full(GRID.shape, 285.0 + hour) for hour in range(hours)]
    for place in ((0, 0), (3, 4), (10, 11)):
        fields[spoilt][place] = 192.12
    return [message("D2M", field, hour) for hour, field in enumerate(fields)]


def test_the_sentinel_of_hrrrs_dew_point_is_masked_and_its_hour_named(tmp_path, write_manifest):
    manifest = write_manifest(tmp_path / "20260601", with_sentinel(3, spoilt=1))
    day, quality = tmp_path / "day.nc", tmp_path / "quality.csv"
    normalise_day(manifest, ["D2M"], Destination(day, quality, Fields(), {}))
    with xr.open_dataset(day) as dataset:
        missing = np.argwhere(np.isnan(dataset["D2M"].values)).tolist()
        assert missing == [[1, 0, 0], [1, 3, 4], [1, 10, 11]]
        assert dataset.attrs["incomplete_times"] == "2026060101"
    assert incomplete_times([day]) == {datetime(2026, 6, 1, 1)}
    (finding,) = read_findings([quality]).to_dict("records")
    assert (finding["suspicious"], finding["treatment"]) == (3, "mask")
    assert finding["lowest"] == pytest.approx(192.12, abs=0.01)


@pytest.mark.parametrize("suspicious", ["keep", "mask"])
def test_an_hour_is_whole_where_no_point_of_it_is_missing(tmp_path, write_manifest, suspicious):
    """Kept values are values, and a block mean is made of the points that are left."""
    manifest = write_manifest(tmp_path / "20260601", with_sentinel(2, spoilt=0))
    normalise(manifest, ["D2M"], tmp_path, suspicious=suspicious, coarsen=2)
    assert incomplete_times([tmp_path / "day.nc"]) == set()
    with xr.open_dataset(tmp_path / "day.nc") as dataset:
        first = 285.0 if suspicious == "mask" else (3 * 285.0 + 192.12) / 4
        assert dataset["D2M"].values[0, 0, 0] == pytest.approx(first, abs=1e-3)


def test_an_hour_with_a_missing_point_is_named(tmp_path, write_manifest):
    fields = [np.full(GRID.shape, 285.0) for _ in range(2)]
    fields[1][0, :2] = np.nan
    messages = [message("T2M", field, hour) for hour, field in enumerate(fields)]
    normalise(write_manifest(tmp_path / "20260601", messages), ["T2M"], tmp_path)
    assert incomplete_times([tmp_path / "day.nc"]) == {datetime(2026, 6, 1, 1)}


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


def test_a_file_that_is_gone_since_the_fetch_is_an_error(day, tmp_path):
    (day[0].parent / "messages.grib2").unlink()
    with pytest.raises(StormdrawError, match=r"messages\.grib2: gone since it was fetched; delete"):
        normalise(day[0], STATE, tmp_path)


def test_a_manifest_of_other_variables_is_an_error(day, tmp_path):
    with pytest.raises(StormdrawError, match=r"manifest\.csv: has no CAPE at 2026-06-01 00 UTC"):
        normalise(day[0], [*STATE, "CAPE"], tmp_path)
    assert not (tmp_path / "day.nc").exists()


def test_static_fields_have_no_time(tmp_path, write_manifest, destination):
    terrain = RNG.uniform(300, 900, GRID.shape)
    manifest = write_manifest(tmp_path / "20260601", [message("OROG", terrain, 0)])
    normalise_static(manifest, ["OROG"], "HRRR", destination(tmp_path))
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        assert dataset["OROG"].dims == ("y", "x")
        assert np.abs(dataset["OROG"].values - terrain).max() < 1e-3
