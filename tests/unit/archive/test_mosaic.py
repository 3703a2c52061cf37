"""MRMS as a truth: of a day's files, listed, the one nearest to the hour."""

import gzip
from datetime import datetime, timedelta

import mosaic_bucket
import numpy as np
import pytest
from archive_mirror import settings
from archive_server import serving as serving_folder
from mosaic_bucket import BUCKET, GRID, a_day, file_of, key, values, write

from stormdraw.archive.faults import FaultyFileError
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.listing import Listing
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.sources import Folder
from stormdraw.archive.truth_names import truth_name, truth_sentences
from stormdraw.archive.truths.mrms import series
from stormdraw.archive.wanted import requests
from stormdraw.costs.fetching import Fetching, fetching
from stormdraw.costs.network import check_sources
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import Messages
from stormdraw.grids import latitude_longitude
from stormdraw.simulated.mosaic_messages import mosaic_message

import eccodes  # isort: skip  (after stormdraw)

SEVEN = datetime(2026, 6, 1, 7)
# Files that are not 72 s apart from the day's start on, so that they stand beside its 1,200.
AFTER, BEFORE, LATER = (SEVEN + timedelta(seconds=s) for s in (40, -50, 150))


def run_with(source=("aws",), truth=None, **archive):
    given = {"source": source if isinstance(source, dict) else list(source)}
    truth = truth or {"REFC": "mrms"}
    return settings(archive={**given, "truth": truth, **archive}, variables=["REFC", "T2M"])


def fetched(run, folder):
    """The row of the manifest of the hour, after fetching the day."""
    fetch_day(run, "truth", "20260601", folder / "manifest.csv")
    (row,) = read_manifest(folder / "manifest.csv").to_dict("records")
    return row


def refusal(run, folder):
    """The one line that fetching ends with; nothing is left of it."""
    with pytest.raises(StormdrawError) as error:
        fetched(run, folder)
    assert "\n" not in str(error.value)
    assert not list(folder.rglob("*.grib2"))
    assert not (folder / "manifest.csv").exists()
    return str(error.value)


@pytest.fixture(scope="module")
def whole_day():
    """The server with 1,200 keys of no use, of which those near the hour are taken away."""
    with mosaic_bucket.serving() as bucket:
        bucket.put({path: b"" for path in a_day() if not near_the_hour(path)})
        yield bucket


def near_the_hour(path):
    time = datetime.strptime(path[-24:-9], "%Y%m%d-%H%M%S")
    return abs((time - SEVEN).total_seconds()) < 400


@pytest.fixture
def bucket(whole_day, monkeypatch):
    """The same, in place of Amazon's, with files of a test of its own near the hour."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", whole_day.endpoint)
    yield whole_day
    for time in (AFTER, BEFORE, LATER):
        whole_day.remove(key(time))


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


def cut(time):
    return file_of(time)[:-30]


def of_another_time(time):
    return file_of(time + timedelta(hours=2))


def two_messages(time):
    return gzip.compress(2 * gzip.decompress(file_of(time)))


def on_a_coarse_grid(time):
    return file_of(time, grid=latitude_longitude(-115.6, -114.4, 43.4, 44.2, (41, 61)))


def of_another_parameter(time):
    data = bytearray(gzip.decompress(file_of(time)))
    # The category is the first byte of section 4 that says something of the field.
    data[data.index(bytes([0, 0, 0, 34, 4])) + 9] = 9
    return gzip.compress(bytes(data))


def damaged(time):
    data = gzip.decompress(file_of(time))
    return gzip.compress(data[:-4] + b"0000")


FAULTS = {
    cut: "is no whole gzip file: Compressed file ended before",
    of_another_time: " UTC, but its header says 2026-06-01 ",
    two_messages: "holds 2 messages, expected one",
    on_a_coarse_grid: "its grid is not one of latitudes and longitudes every 0.01 degrees",
    of_another_parameter: "its message is of parameter 209/9/0, expected 209/10/0",
    damaged: "should be",
    lambda time: b"": "is empty",
    lambda time: gzip.compress(b"a web page"): "holds no GRIB message",
    lambda time: gzip.compress(gzip.decompress(file_of(time)) + b"\n"): "holds 1 bytes besides",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_named_or_passed_over_for_the_next(fault, tmp_path, caplog):
    mirror = tmp_path / "mirror"
    write({key(AFTER): fault(AFTER)}, mirror)
    told = refusal(run_with({"mirror": str(mirror)}), tmp_path / "alone")
    assert told.startswith(f"{mirror}/{key(AFTER)}: ")
    assert FAULTS[fault] in told
    write({key(BEFORE): file_of(BEFORE)}, mirror)
    row = fetched(run_with({"mirror": str(mirror)}), tmp_path / "with_another")
    assert (row["origin"], row["seconds_after"]) == (f"{mirror}/{key(BEFORE)}", -50)
    assert FAULTS[fault] in caplog.text
    assert "taken from" in caplog.text


def test_a_day_of_faults_in_a_bucket_costs_these_hours_alone(bucket, tmp_path):
    """From 09 UTC on, an hour for each fault; then one that is whole."""
    faults = [*FAULTS, file_of]
    leads = list(range(1, len(faults) + 1))
    times = [datetime(2026, 6, 1, 8) + timedelta(hours=lead, seconds=11) for lead in leads]
    bucket.put({key(time): fault(time) for fault, time in zip(faults, times, strict=True)})
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T08:00", "end": f"2026-06-01T{8 + leads[-1]}:00"},
    }
    archive = {"source": ["aws"], "truth": {"REFC": "mrms"}, "missing": "skip"}
    run = settings(archive=archive, variables=["REFC"], periods=periods, leads=leads)
    fetch_day(run, "truth", "20260601", tmp_path / "manifest.csv")
    table = read_manifest(tmp_path / "manifest.csv")
    assert table["status"].tolist() == ["absent"] * len(FAULTS) + ["ok"]
    for told, reason in zip(FAULTS.values(), table["reason"], strict=False):
        assert told in reason
    assert table["origin"].tolist() == [f"s3://{BUCKET}/{key(time)}" for time in times]
    for time in times:
        bucket.remove(key(time))


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


def test_a_website_that_does_not_list_is_told_apart(tmp_path):
    write({key(AFTER): file_of(AFTER)}, tmp_path / "site" / BUCKET)
    with serving_folder(tmp_path / "site") as server:
        told = refusal(run_with({"mirror": f"{server.address}/{BUCKET}"}), tmp_path / "day")
        assert "are listed (S3 ListObjectsV2), which needs the address of a bucket" in told
        told = refusal(run_with({"mirror": server.address}), tmp_path / "day")
        assert told.startswith(f"archive.source.mirror is {server.address}: the names of these")


class RefusesAll(dict):
    """Faults of an archive that answers every request with 403."""

    def get(self, path, default=None):
        return lambda request: request.send(403, b"") or True


def test_a_bucket_that_may_not_be_listed_is_told_apart(tmp_path):
    with serving_folder(tmp_path) as server:
        server.faults = RefusesAll()
        told = refusal(run_with({"mirror": f"{server.address}/{BUCKET}"}), tmp_path / "day")
    assert "403 Forbidden" in told
    assert "which needs the address of a bucket" in told


def test_a_file_that_may_not_be_read_is_faulty(bucket, tmp_path):
    # Without leave for everybody.
    bucket.backend.put_object(BUCKET, key(AFTER), file_of(AFTER))
    assert "is refused (403)" in refusal(run_with(), tmp_path)


def test_a_server_that_does_not_answer_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("stormdraw.archive.listing._RETRIES", 0)
    run = run_with({"mirror": f"http://127.0.0.1:9/{BUCKET}"}, missing="skip")
    assert "the archive did not answer as it should" in refusal(run, tmp_path)


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


def test_a_file_that_changes_after_it_was_listed_is_faulty(tmp_path):
    write({key(AFTER): file_of(AFTER)}, tmp_path)
    listing, own = Listing(Folder(tmp_path)), series(180)
    (listed,) = listing.by_nearness(own, SEVEN)
    assert listing.read(own, listed) == file_of(AFTER)
    write({key(AFTER): file_of(AFTER)[:-5]}, tmp_path)
    with pytest.raises(FaultyFileError, match=r"has \d+ bytes, and \d+ were listed"):
        listing.read(own, listed)
    (tmp_path / key(AFTER)).unlink()
    with pytest.raises(FaultyFileError, match="is not there"):
        listing.read(own, listed)


def test_a_gzip_file_of_any_size_is_not_unpacked_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("stormdraw.archive.verify_series._LARGEST", 1000)
    write({key(AFTER): gzip.compress(bytes(1001))}, tmp_path / "mirror")
    run = run_with({"mirror": str(tmp_path / "mirror")})
    assert "unpacks to more than 1000 bytes" in refusal(run, tmp_path / "day")


def two_fields(time):
    """A message whose sections 4 to 7 stand twice."""
    data = gzip.decompress(file_of(time))
    start = data.index(bytes([0, 0, 0, 34, 4]))
    again = data[:-4] + data[start:-4] + b"7777"
    return gzip.compress(again[:8] + len(again).to_bytes(8, "big") + again[16:])


def without_a_picture(time):
    """A message whose PNG is none."""
    data = gzip.decompress(file_of(time))
    return gzip.compress(data.replace(b"PNG", b"GIF"))


@pytest.mark.parametrize(
    ("fault", "told"),
    [(two_fields, "its message holds 2 fields, expected one"), (without_a_picture, "be decoded")],
)
def test_a_message_with_more_or_less_than_a_field_is_refused(fault, told, tmp_path):
    write({key(AFTER): fault(AFTER)}, tmp_path / "mirror")
    assert told in refusal(run_with({"mirror": str(tmp_path / "mirror")}), tmp_path / "day")


def test_an_hour_on_another_grid_than_the_days_others_is_taken_from_the_next_file(tmp_path):
    """Three hours; the nearest file of the second is a hundredth of a degree further east."""
    hours_of = [datetime(2026, 6, 1, hour) for hour in (9, 10, 11)]
    times = [hour + timedelta(seconds=10) for hour in hours_of]
    shifted = latitude_longitude(-115.49, -114.89, 43.5, 43.9, (41, 61))
    files = {key(time): file_of(time) for time in times}
    files[key(times[1])] = file_of(times[1], grid=shifted)
    second = hours_of[1] + timedelta(seconds=130)
    write(files | {key(second): file_of(second)}, tmp_path / "mirror")
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
        "test": {"start": "2026-06-01T08:00", "end": "2026-06-01T11:00"},
    }
    archive = {"source": {"mirror": str(tmp_path / "mirror")}, "truth": {"REFC": "mrms"}}
    run = settings(archive=archive, variables=["REFC"], periods=periods, leads=[1, 2, 3])
    fetch_day(run, "truth", "20260601", tmp_path / "day" / "manifest.csv")
    table = read_manifest(tmp_path / "day" / "manifest.csv")
    assert table["seconds_after"].tolist() == [10, 130, 10]


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
