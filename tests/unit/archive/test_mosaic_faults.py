"""Faulty files, servers and messages of MRMS: another file is taken, or they are told."""

import gzip
from datetime import datetime, timedelta

import pytest
from archive_mirror import settings
from archive_server import serving as serving_folder
from mosaic_bucket import BUCKET, file_of, key, write
from mosaic_fetching import AFTER, BEFORE, SEVEN, fetched, refusal, run_with

from stormdraw.archive.faults import FaultyFileError
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.listing import Listing
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.sources import Folder
from stormdraw.archive.truths.mrms import series
from stormdraw.grids import latitude_longitude


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
