"""A day fetched from a web server, on good days and bad."""

import hashlib
import json
import shutil
import time

import pytest
from archive_mirror import (
    DAY,
    HOURS,
    STATE,
    reference,
    settings,
    write_analyses,
    write_file,
    write_members,
)
from archive_server import serving

from stormdraw.archive import remote, session, transfer
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.errors import StormdrawError

PATH = "/hrrr.20260601/conus/hrrr.t{:02d}z.wrfsfcf00.grib2"


@pytest.fixture
def server(tmp_path):
    write_analyses(tmp_path / "site")
    with serving(tmp_path / "site") as archive:
        yield archive


@pytest.fixture
def manifest(tmp_path):
    return tmp_path / "archive" / "manifest.csv"


@pytest.fixture
def impatient(monkeypatch):
    """Two tries without waits in place of several with."""
    monkeypatch.setattr(session, "_RETRIES", 1)
    monkeypatch.setattr(session, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(session, "_RETRIES_WITHOUT_ANSWER", 0)
    monkeypatch.setattr(transfer, "SECONDS_TO_SPARE", 5.0)
    monkeypatch.setattr(session, "TIMEOUT", (1.0, 1.0))
    monkeypatch.setattr(remote, "_SECONDS_BEFORE_RETRY", 0.0)


def fetch(manifest, server, run=None, source="hrrr", **options):
    archive = {"mirror": server.address}
    run = run or settings(archive={"source": archive})
    fetch_day(run, source, "20260601", manifest, **options)
    return read_manifest(manifest)


def test_the_same_messages_as_from_the_folder(tmp_path, manifest, server):
    table = fetch(manifest, server)
    fetch_day(settings(), "hrrr", "20260601", tmp_path / "f" / "manifest.csv", server.root)
    folder = read_manifest(tmp_path / "f" / "manifest.csv")
    assert table.drop(columns="origin").equals(folder.drop(columns="origin"))
    assert table["origin"][0] == server.address + PATH.format(0)


def test_only_the_wanted_bytes_are_asked_for(manifest, server):
    table = fetch(manifest, server)
    spans = [span for method, path, span in server.log if (method, path) == ("GET", PATH.format(0))]
    first = table[table["file"] == table["file"][0]]
    content = (server.root / PATH.format(0).lstrip("/")).read_bytes()
    (span,) = spans
    begin, end = (int(number) for number in span.removeprefix("bytes=").split("-"))
    assert end - begin + 1 == first["bytes"].sum() < len(content)


def test_one_connection_or_four_give_the_same(tmp_path, server):
    tables = []
    for count in (1, 4):
        archive = {"source": {"mirror": server.address}, "connections": count}
        folder = tmp_path / str(count)
        tables.append(fetch(folder / "manifest.csv", server, settings(archive=archive)))
    assert tables[0].equals(tables[1])


def test_a_second_run_asks_for_nothing(manifest, server):
    table = fetch(manifest, server)
    manifest.unlink()
    server.log.clear()
    assert fetch(manifest, server).equals(table)
    assert server.log == []


def test_after_an_interruption_only_the_rest_is_fetched(manifest, server):
    def interrupt(line):
        if line.startswith("2 of 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(manifest, server, progress=interrupt)
    assert not manifest.exists()
    server.log.clear()
    table = fetch(manifest, server)
    assert len(table) == 4 * len(STATE)
    asked = {path for path in server.asked("GET") if path.endswith(".grib2")}
    # Those under way at the time may have come in after all.
    assert asked <= {PATH.format(hour) for hour in (6, 7)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-50]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    ],
)
def test_a_stored_file_that_is_bad_is_fetched_anew(manifest, server, spoil):
    table = fetch(manifest, server)
    spoil(manifest.parent / table["file"][0])
    server.log.clear()
    assert fetch(manifest, server).equals(table)
    assert set(server.asked("GET")) == {PATH.format(0), PATH.format(0) + ".idx"}


def test_other_variables_are_fetched_anew(manifest, server):
    fetch(manifest, server)
    archive = {"source": {"mirror": server.address}}
    fewer = fetch(manifest, server, settings(archive=archive, variables=["T2M", "CAPE"]))
    assert fewer["variable"].tolist() == ["T2M", "CAPE"] * 4
    more = fetch(manifest, server)
    assert more["variable"].tolist() == list(STATE) * 4
    assert set(more["status"]) == {"ok"}


def test_files_from_elsewhere_are_not_kept(tmp_path, manifest, server):
    """What the simulated archive or another mirror gave must never pass for this one's."""
    fetch(manifest, server)
    record = json.loads((manifest.parent / "origins.json").read_text())
    assert set(record.values()) == {server.address + PATH.format(hour) for hour in HOURS}
    write_analyses(tmp_path / "other site")
    with serving(tmp_path / "other site") as other:
        table = fetch(manifest, other)
        assert len(set(other.asked("GET"))) == 8
    assert all(origin.startswith(other.address) for origin in table["origin"])
    fetch_day(settings(), "hrrr", "20260601", manifest, server.root)
    assert json.loads((manifest.parent / "origins.json").read_text()) == {}
    server.log.clear()
    fetch(manifest, server)
    assert len(set(server.asked("GET"))) == 8


@pytest.mark.parametrize("content", ["", "{", "[1, 2]"])
def test_a_record_that_cannot_be_read_vouches_for_nothing(manifest, server, content):
    table = fetch(manifest, server)
    (manifest.parent / "origins.json").write_text(content)
    server.log.clear()
    assert fetch(manifest, server).equals(table)
    assert len(set(server.asked("GET"))) == 8


def test_a_file_that_is_not_there(manifest, server):
    (server.root / PATH.format(1).lstrip("/")).unlink()
    with pytest.raises(StormdrawError, match="hrrr sfc of 2026-06-01 01 UTC") as caught:
        fetch(manifest, server)
    assert server.address + PATH.format(1) in str(caught.value)
    assert server.address + PATH.format(1).replace("/conus", "") in str(caught.value)
    assert not manifest.exists()


def test_a_file_without_an_inventory(manifest, server):
    (server.root / (PATH.format(1) + ".idx").lstrip("/")).unlink()
    with pytest.raises(StormdrawError, match=r"has no inventory \(.*\.idx\).*as a folder"):
        fetch(manifest, server)


def test_a_server_that_ignores_ranges(manifest, server):
    server.honours_ranges = False
    with pytest.raises(StormdrawError, match="ignores byte ranges") as caught:
        fetch(manifest, server)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_too_short(manifest, server):
    server.truncates.add(PATH.format(1))
    with pytest.raises(StormdrawError, match=r"hrrr\.t01z.*: ends 20 bytes before its inv"):
        fetch(manifest, server)


@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_breaks_off_is_tried_again(manifest, server):
    server.breaks[PATH.format(1)] = 2
    table = fetch(manifest, server)
    content = (manifest.parent / table["file"][7]).read_bytes()
    row = table.iloc[7]
    assert hashlib.sha256(content[: row["bytes"]]).hexdigest() == row["sha256"]
    assert len([path for path in server.asked("GET") if path == PATH.format(1)]) == 3


@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_always_breaks_off(manifest, server):
    server.breaks[PATH.format(1)] = 100
    with pytest.raises(
        StormdrawError, match=r"did not answer as it should, .* run again"
    ) as caught:
        fetch(manifest, server)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ending", ["", ".idx"])
def test_a_server_that_is_unavailable_once(manifest, server, ending):
    server.unavailable[PATH.format(1) + ending] = 1
    assert len(fetch(manifest, server)) == 28


@pytest.mark.usefixtures("impatient")
def test_the_next_place_is_tried_if_one_is_unavailable(manifest, server):
    flat = PATH.replace("/conus", "").format(1)
    for ending in ("", ".idx"):
        source = server.root / (PATH.format(1) + ending).lstrip("/")
        shutil.copy(source, server.root / (flat + ending).lstrip("/"))
    server.unavailable[PATH.format(1)] = 100
    table = fetch(manifest, server)
    assert table["origin"][7] == server.address + flat


@pytest.mark.usefixtures("impatient")
def test_an_unavailable_server_does_not_make_a_member_absent(tmp_path, manifest):
    write_members(tmp_path / "members")
    with serving(tmp_path / "members") as server:
        run = reference(minimum_members=1, archive={"source": {"mirror": server.address}})
        nam = "/nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2"
        (server.root / nam.lstrip("/")).unlink()
        table = fetch(manifest, server, run, "href")
        assert set(table[table["status"] == "absent"]["member"]) == {"nam_nest_00h"}
        server.unavailable[nam] = 100
        with pytest.raises(StormdrawError, match=r"should, too many 503 error responses \(http"):
            fetch(manifest, server, run, "href")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers(manifest, server):
    server.hangs.add(PATH.format(1))
    with pytest.raises(StormdrawError, match=r"should, Read timed out"):
        fetch(manifest, server)


@pytest.mark.usefixtures("impatient")
def test_no_server_at_all(manifest):
    run = settings(archive={"source": {"mirror": "http://127.0.0.1:9"}})
    with pytest.raises(
        StormdrawError, match=r"should, .*Connection refused.* check the network"
    ) as caught:
        fetch_day(run, "hrrr", "20260601", manifest)
    assert "\n" not in str(caught.value)


def test_an_archive_without_the_model(manifest):
    """Asked of no network: Herbie knows no HiResW on AWS, and nothing of HREF's products."""
    run = reference(minimum_members=4, archive={"source": ["aws", "google"]})
    with pytest.raises(StormdrawError, match="aws, google has no files of href"):
        fetch_day(run, "href_products", "20260601", manifest)


def test_after_a_failure_nothing_goes_on(manifest, server):
    (server.root / PATH.format(0).lstrip("/")).unlink()
    with pytest.raises(StormdrawError):
        fetch(manifest, server)
    requests_by_then = len(server.log)
    time.sleep(0.2)
    assert len(server.log) == requests_by_then


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("names", [STATE[:5], ()], ids=["a part", "nothing"])
def test_a_file_that_may_be_whole_at_a_silent_place_is_not_absent(manifest, server, names):
    """The other place may have what this one lacks, tomorrow."""
    path = server.root / PATH.format(1).lstrip("/")
    write_file(path, DAY.replace(hour=1), 0, names=names)
    run = settings(archive={"source": {"mirror": server.address}, "missing": "skip"})
    server.unavailable[PATH.format(1).replace("/conus", "")] = 100
    with pytest.raises(StormdrawError, match="should, too many 503 error responses"):
        fetch(manifest, server, run)
    server.unavailable.clear()
    one = fetch(manifest, server, run).query("init.dt.hour == 1")
    assert (one["status"] == "ok").tolist() == [name in names for name in STATE]
