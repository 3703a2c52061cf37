"""The truth by cfgrib: the right message, at its time, at its place."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from checked_case import ARCHIVE, INIT, STATE, fields_of_hour, messages
from grib_manifests import write_manifest

from stormdraw.errors import StormdrawError
from stormdraw.fields.coarsening import coarse_grid
from stormdraw.fields.settings import Fields
from stormdraw.grids import Grid
from stormdraw.scores.check.by_cfgrib import read_field
from stormdraw.scores.check.truth import Origin, TruthOfCase
from stormdraw.variables import variable

LEAD = 1
VALID = INIT + timedelta(hours=LEAD)


def truth_of(
    manifest: Path, like: Grid = ARCHIVE, netcdf: tuple[Path, ...] = (), **fields: Any
) -> TruthOfCase:
    origins = dict.fromkeys(STATE, Origin([manifest], True, -10.0))
    return TruthOfCase(origins, netcdf, INIT, xr.Dataset(like.coordinates()), Fields(**fields))


def test_fields_are_those_of_the_messages(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "day", messages(LEAD))
    expected = fields_of_hour(LEAD)
    expected["WIND10"] = np.hypot(expected["U10"], expected["V10"])
    truth = truth_of(manifest)
    for name, own in expected.items():
        field, starts_from = truth.field(name, LEAD)
        assert starts_from.startswith("GRIB2 by cfgrib")
        assert field.dtype == np.float32
        # 24 bits of the range of values.
        np.testing.assert_allclose(field, own, atol=1e-5)
    # No index is left beside the files.
    assert {path.name for path in (tmp_path / "day").iterdir()} == {
        *("manifest.csv", "messages.grib2")
    }


def test_values_beyond_the_bounds_are_missing_and_no_echo_is_at_the_floor(tmp_path: Path) -> None:
    hour = fields_of_hour(LEAD)
    hour["T2M"][3, 4], hour["REFC"][5, 6] = 400.0, -30.0
    hour["CIN"][7, 8] = np.nan
    manifest = write_manifest(tmp_path, messages(LEAD, hour))
    truth = truth_of(manifest)
    assert np.argwhere(np.isnan(truth.field("T2M", LEAD)[0])).tolist() == [[3, 4]]
    assert np.argwhere(np.isnan(truth.field("CIN", LEAD)[0])).tolist() == [[7, 8]]
    assert truth.field("REFC", LEAD)[0][5, 6] == -10.0
    kept = truth_of(manifest, suspicious="keep")
    assert kept.field("T2M", LEAD)[0][3, 4] == pytest.approx(400.0, abs=1e-4)


def test_blocks_of_reflectivity_are_means_of_power(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, messages(LEAD))
    blocks = coarse_grid(ARCHIVE, 2)
    field, _ = truth_of(manifest, blocks, coarsen=2).field("REFC", LEAD)
    points = fields_of_hour(LEAD)["REFC"][2:4, 6:8]
    expected = 10.0 * np.log10(np.mean(10.0 ** (points / 10.0)))
    assert field[1, 3] == pytest.approx(expected, abs=1e-4)


def test_another_time_is_an_error(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, messages(LEAD))
    path = manifest.parent / "messages.grib2"
    read_field(path, variable("T2M"), VALID)
    told = r"T2M is valid at 2026-06-08 07:00 UTC by cfgrib, expected 2026-06-08 08:00"
    with pytest.raises(StormdrawError, match=rf"messages\.grib2: {told}"):
        read_field(path, variable("T2M"), VALID + timedelta(hours=1))


def test_no_message_and_two_are_errors(tmp_path: Path) -> None:
    others = [one for one in messages(LEAD) if one["message"]["name"] != "CIN"]
    path = write_manifest(tmp_path / "none", others).parent / "messages.grib2"
    with pytest.raises(StormdrawError, match="cfgrib finds 0 fields of CIN, expected one"):
        read_field(path, variable("CIN"), VALID)
    path = write_manifest(tmp_path / "two", messages(LEAD) + messages(2)).parent / "messages.grib2"
    with pytest.raises(StormdrawError, match="of CIN, expected one"):
        read_field(path, variable("CIN"), VALID)


def test_a_grid_that_is_not_the_ensembles_is_an_error(tmp_path: Path) -> None:
    """Our own reading of a grid would not be noticed by values alone."""
    manifest = write_manifest(tmp_path, messages(LEAD))
    shifted = Grid(ARCHIVE.crs, tuple(x + ARCHIVE.spacing[1] for x in ARCHIVE.x), ARCHIVE.y)
    with pytest.raises(StormdrawError, match=r"T2M: by cfgrib a point of its grid is 0\.0"):
        truth_of(manifest, shifted).field("T2M", LEAD)
    with pytest.raises(StormdrawError, match="that of the ensemble is"):
        truth_of(manifest, ARCHIVE.crop(slice(0, 9), slice(0, 9))).field("T2M", LEAD)


def test_what_the_archive_lacks_is_missing_everywhere(tmp_path: Path) -> None:
    """Of a vector, both components if one is absent."""
    listed = messages(LEAD)
    for one in listed:
        if one["message"]["name"] in ("T2M", "V10"):
            one["status"] = "absent"
    truth = truth_of(write_manifest(tmp_path, listed))
    for name in ("T2M", "U10", "V10", "WIND10"):
        assert np.isnan(truth.field(name, LEAD)[0]).all()
    assert np.isfinite(truth.field("CIN", LEAD)[0]).all()
    with pytest.raises(StormdrawError, match=r"manifest\.csv: no CIN valid at 2026-06-08 08 UTC"):
        truth.field("CIN", 2)


@pytest.fixture
def netcdf(tmp_path: Path) -> tuple[Path]:
    """What the workflow scores against: threes."""
    threes = np.full((1, *ARCHIVE.shape), 3.0, np.float32)
    fields = dict.fromkeys(STATE, (("time", "y", "x"), threes))
    path = tmp_path / "fields.nc"
    xr.Dataset(fields, {"time": np.array([VALID], "datetime64[ns]")}).to_netcdf(path)
    return (path,)


def test_winds_along_the_compass_start_from_netcdf(tmp_path: Path, netcdf: tuple[Path]) -> None:
    manifest = write_manifest(tmp_path, messages(LEAD, grid_relative=False))
    field, starts_from = truth_of(manifest, netcdf=netcdf).field("WIND10", LEAD)
    assert (field == np.hypot(np.float32(3), np.float32(3))).all()
    assert starts_from == "NetCDF of the truth, whose wind components follow the compass"
    assert truth_of(manifest).field("T2M", LEAD)[1].startswith("GRIB2")


def test_a_netcdf_says_which_times_are_absent(tmp_path: Path, netcdf: tuple[Path]) -> None:
    other = tmp_path / "other.nc"
    xr.Dataset(
        {"T2M": (("time", "y", "x"), np.ones((1, *ARCHIVE.shape), np.float32))},
        {"time": np.array([VALID - timedelta(hours=5)], "datetime64[ns]")},
        {"absent_times": f"{INIT:%Y%m%d%H} {VALID + timedelta(hours=1):%Y%m%d%H}"},
    ).to_netcdf(other)
    origins, like = {"T2M": Origin([], False)}, xr.Dataset(ARCHIVE.coordinates())
    truth = TruthOfCase(origins, [other, *netcdf], INIT, like, Fields())
    assert (truth.field("T2M", LEAD)[0] == 3.0).all()
    missing = truth.field("T2M", 2)[0]
    assert (missing.shape, np.isnan(missing).all()) == (ARCHIVE.shape, True)
    told = r"other\.nc, .*fields\.nc: no truth at 2026-06-08 09 UTC; delete the file of that day"
    with pytest.raises(StormdrawError, match=told):
        truth.field("T2M", 3)


def test_a_speed_that_is_given_alone_is_a_variable_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "fields.nc"
    speed = {"WIND10": (("time", "y", "x"), np.full((1, *ARCHIVE.shape), 3.0, np.float32))}
    xr.Dataset(speed, {"time": np.array([VALID], "datetime64[ns]")}).to_netcdf(path)
    like = xr.Dataset(ARCHIVE.coordinates())
    truth = TruthOfCase({"WIND10": Origin([], False)}, [path], INIT, like, Fields())
    assert (truth.field("WIND10", LEAD)[0] == 3.0).all()


def test_rows_from_north_to_south_start_from_netcdf(tmp_path: Path, netcdf: tuple[Path]) -> None:
    """ecCodes has their degrees in another order than their values."""
    manifest = write_manifest(tmp_path, messages(LEAD, southwards=True))
    read = read_field(manifest.parent / "messages.grib2", variable("T2M"), VALID)
    assert read["latitude"][0, 0] < read["latitude"][-1, 0]
    np.testing.assert_allclose(read.values[::-1], fields_of_hour(LEAD)["T2M"], atol=1e-4)
    field, starts_from = truth_of(manifest, netcdf=netcdf).field("T2M", LEAD)
    assert (field == 3.0).all()
    assert starts_from == "NetCDF of the truth, whose rows are not stored from south to north"


@pytest.mark.parametrize("name", ["T2M", "U10", "CIN", "HPBL", "GUST"])
def test_a_whole_file_of_hrrr_has_one_field_of_each(name: str, real_data: Path) -> None:
    """cfgrib's names of what it is are those of the variable."""
    path = real_data / "hrrr_idaho" / "hrrr.20180722" / "hrrr.t05z.wrfsfcf01.grib2"
    field = read_field(path, variable(name), datetime(2018, 7, 22, 6))
    assert field.shape == (78, 41)
    assert (
        field.attrs["GRIB_cfVarName"]
        == {
            **{"T2M": "t2m", "U10": "u10", "CIN": "cin"},
            **{"HPBL": "blh", "GUST": "gust"},
        }[name]
    )
