"""MRMS as a truth: of a day's files, listed, the one nearest to the hour."""

import gzip
from datetime import datetime, timedelta

import numpy as np
import pytest
from archive_mirror import settings
from mosaic_bucket import BUCKET, GRID, a_day, file_of, key, values, write

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.truth_names import truth_name, truth_sentences
from stormdraw.archive.wanted import requests
from stormdraw.costs.fetching import Fetching, fetching
from stormdraw.costs.network import check_sources
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import Messages
from stormdraw.simulated.mosaic_messages import mosaic_message

import eccodes  # isort: skip  (after stormdraw)

from mosaic_fetching import AFTER, BEFORE, LATER, SEVEN, fetched, near_the_hour, refusal, run_with


def test_the_file_nearest_to_the_hour_is_taken_whole(bucket, tmp_path):
    """It is on the second page of 1,000 keys, had the list begun a day earlier; see below."""
    bucket.put({key(AFTER): file_of(AFTER), key(BEFORE): file_of(BEFORE), key(LATER): b""})
    row = fetched(run_with(), tmp_path)
    assert row["origin"] == f"s3://{BUCKET}/{key(AFTER)}"
    assert (row["variable"], row["status"], row["seconds_after"]) == ("REFC", "ok", 40)
    stored = (tmp_path / row["file"]).read_bytes()
    assert stored == gzip.decompress(file_of(AFTER))
    assert (row["offset"], row["bytes"]) == (0, len(stored))
    messages = Messages(tmp_path / "manifest.csv")
    (field,) = messages.reading(messages.by_valid_time()[0], ["REFC"])()
    np.testing.assert_array_equal(field.values, values(30.0))
    assert field.grid.matches(GRID)


def test_a_file_on_the_second_page_of_a_list_is_found(bucket, tmp_path):
    late = datetime(2026, 6, 1, 22, 0, 3)
    listed = sorted([*a_day(), key(late)])
    assert listed.index(key(late)) > 1000
    bucket.put({key(late): file_of(late)})
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
        "test": {"start": "2026-06-01T21:00", "end": "2026-06-01T22:00"},
    }
    archive = {"source": ["aws"], "truth": {"REFC": "mrms"}}
    run = settings(archive=archive, variables=["REFC"], periods=periods)
    row = fetched(run, tmp_path)
    bucket.remove(key(late))
    assert (row["origin"][-25:-9], row["seconds_after"]) == ("_20260601-220003", 3)


@pytest.mark.parametrize(
    ("tolerance", "seconds", "taken"),
    [(3, 180, True), (3, 181, False), (4, 181, True), (3, -180, True), (3, -181, False)],
)
def test_a_file_counts_within_the_tolerance(tmp_path, tolerance, seconds, taken):
    time = SEVEN + timedelta(seconds=seconds)
    write({key(time): file_of(time)}, tmp_path / "mirror")
    source = {"mirror": str(tmp_path / "mirror")}
    run = run_with(source, truth_tolerance_minutes=tolerance)
    if taken:
        assert fetched(run, tmp_path / "day")["seconds_after"] == seconds
    else:
        where = "before" if seconds < 0 else "after"
        told = f"no file within 180 s of the hour; the nearest is of 181 s {where} the hour"
        assert told in refusal(run, tmp_path / "day")


def test_midnight_has_files_in_two_folders(tmp_path):
    """The nearest to 00 UTC of 2 June is in the folder of the day before."""
    midnight = datetime(2026, 6, 2)
    times = [midnight - timedelta(seconds=21), midnight + timedelta(seconds=99)]
    write({key(time): file_of(time) for time in times}, tmp_path / "mirror")
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
        "test": {"start": "2026-06-01T23:00", "end": "2026-06-02T00:00"},
    }
    archive = {"source": {"mirror": str(tmp_path / "mirror")}, "truth": {"REFC": "mrms"}}
    run = settings(archive=archive, variables=["REFC"], periods=periods)
    (request,) = requests(run, "truth", "20260602")
    assert request.init == midnight
    fetch_day(run, "truth", "20260602", tmp_path / "day" / "manifest.csv")
    (row,) = read_manifest(tmp_path / "day" / "manifest.csv").to_dict("records")
    assert row["seconds_after"] == -21


def test_an_hour_without_a_file_is_absent_where_that_is_allowed(bucket, tmp_path):
    row = fetched(run_with(missing="skip"), tmp_path)
    assert (row["status"], row["bytes"]) == ("absent", 0)
    assert row["reason"].startswith("no file within 180 s of the hour; the nearest is of ")
    assert not list(tmp_path.rglob("*.grib2"))
    told = refusal(run_with(), tmp_path / "fail")
    assert "set archive.missing to skip, or raise archive.truth_tolerance_minutes" in told


def test_a_day_without_a_folder_is_absent(tmp_path):
    (tmp_path / "mirror").mkdir()
    told = refusal(run_with({"mirror": str(tmp_path / "mirror")}), tmp_path / "day")
    assert "the folder has none at all" in told
    assert f"looked in {tmp_path}/mirror/CONUS/MergedReflectivityQCComposite_00.50/2026" in told


def test_a_bucket_may_be_a_mirror(bucket, tmp_path):
    bucket.put({key(AFTER): file_of(AFTER)})
    row = fetched(run_with({"mirror": f"{bucket.endpoint}/{BUCKET}"}), tmp_path)
    assert row["origin"] == f"{bucket.endpoint}/{BUCKET}/{key(AFTER)}"


def test_what_is_fetched_is_kept(bucket, tmp_path):
    bucket.put({key(AFTER): file_of(AFTER)})
    first = fetched(run_with(), tmp_path)
    (tmp_path / "manifest.csv").unlink()
    bucket.remove(key(AFTER))
    assert fetched(run_with(), tmp_path) == first
    # Of another tolerance or another source, it is looked for again.
    (tmp_path / "manifest.csv").unlink()
    mirror = {"mirror": f"{bucket.endpoint}/{BUCKET}"}
    assert fetched(run_with(mirror, missing="skip"), tmp_path)["status"] == "absent"


def test_a_stored_file_that_is_too_far_off_is_not_kept(bucket, tmp_path):
    bucket.put({key(LATER): file_of(LATER)})
    fetched(run_with(), tmp_path)
    (tmp_path / "manifest.csv").unlink()
    run = run_with(missing="skip", truth_tolerance_minutes=2)
    assert fetched(run, tmp_path)["status"] == "absent"


def test_the_mosaic_stands_beside_other_truths(tmp_path):
    run = run_with(truth={"default": "hrrr_f01", "REFC": "mrms"})
    assert [file.model for file in requests(run, "truth", "20260601")] == ["mrms", "hrrr"]
    assert truth_name(run, "REFC") == "MRMS radar mosaic"
    assert truth_sentences(run)[0].startswith("The truth of REFC is the MRMS radar mosaic: observa")


def test_the_mosaic_covers_one_region_and_began_one_day():
    with pytest.raises(StormdrawError, match=r"truth is mrms, which there is not .* hrrrak"):
        run_with(model="hrrrak")
    with pytest.raises(StormdrawError, match=r"mrms, which google does not have; add aws"):
        run_with(["google"])
    with pytest.raises(StormdrawError, match=r"mrms has REFC and none of T2M; set it to hrrr"):
        run_with(truth={"default": "mrms", "REFC": "hrrr"})


def test_a_real_file_is_read_as_it_is(real_data, tmp_path):
    """The mosaic of 2022-07-04, gzipped as in the bucket, is of 40 s after 11 UTC."""
    path = real_data / "mrms" / "MRMS_MergedReflectivityQCComposite_00.50_20220704-110040.grib2"
    if not path.is_file():
        pytest.skip(f"no {path}")
    time = datetime(2022, 7, 4, 11, 0, 40)
    write({key(time): gzip.compress(path.read_bytes(), 1)}, tmp_path / "mirror")
    periods = {
        "training": {"start": "2022-07-04T00:00", "end": "2022-07-04T01:00"},
        "test": {"start": "2022-07-04T10:00", "end": "2022-07-04T11:00"},
    }
    archive = {"source": {"mirror": str(tmp_path / "mirror")}, "truth": {"REFC": "mrms"}}
    run = settings(archive=archive, variables=["REFC"], periods=periods)
    fetch_day(run, "truth", "20220704", tmp_path / "day" / "manifest.csv")
    (row,) = read_manifest(tmp_path / "day" / "manifest.csv").to_dict("records")
    assert (row["seconds_after"], row["bytes"]) == (40, path.stat().st_size)


def test_a_message_is_packed_as_real_ones_are():
    """Half decibels and both codes come back exactly, from north to south."""
    field = values(12.5)
    handle = eccodes.codes_new_from_message(mosaic_message(field, GRID, AFTER))
    assert eccodes.codes_get(handle, "packingType") == "grid_png"
    assert eccodes.codes_get(handle, "second") == 40
    assert eccodes.codes_get(handle, "latitudeOfFirstGridPointInDegrees") == 43.9
    np.testing.assert_array_equal(eccodes.codes_get_values(handle).reshape(GRID.shape), field[::-1])
    eccodes.codes_release(handle)


def test_the_plan_asks_a_bucket_for_its_list_and_counts_bytes(bucket):
    run = run_with()
    files = {"truth": requests(run, "truth", "20260601")}
    (finding,) = check_sources(run, files)
    assert (finding.state, finding.what) == ("good", "truth mrms")
    count = sum(not near_the_hour(path) for path in a_day())
    assert finding.found.startswith(f"lists {count} files in ")
    # The size of the real file, and of what stands for an inventory.
    assert fetching(run, files["truth"]) == Fetching(1, 1_473_079, 1_473_079 + 10_000)
    mirror = {"mirror": f"{bucket.endpoint}/another"}
    note, problem = check_sources(run_with(mirror), files)
    assert (note.state, problem.state) == ("note", "problem")
