"""Every fault of a server: the right file in the end or a clear error, never a bad file."""

from datetime import datetime

import pytest
from archive_faults import TROUBLES
from archive_mirror import absent_times, settings, write_analyses
from archive_server import serving

from stormdraw.archive import remote, session, transfer
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.errors import StormdrawError

PATH = "/hrrr.20260601/conus/hrrr.t01z.wrfsfcf00.grib2"
FLAT = PATH.replace("/conus", "")
STORED = PATH.replace("/conus", "").lstrip("/")


@pytest.fixture
def _impatient(monkeypatch, trouble):
    """Short waits and few tries, so that a fault takes no minutes.

    Only where the fault is to be slow, since a busy machine is slow as well.
    """
    slow = trouble.name.startswith(("hang", "slow drip"))
    patience = 1.0 if slow else 20.0
    monkeypatch.setattr(session, "_RETRIES", 1)
    monkeypatch.setattr(session, "_RETRIES_WITHOUT_ANSWER", 0)
    monkeypatch.setattr(session, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(session, "TIMEOUT", (patience, patience))
    monkeypatch.setattr(transfer, "SECONDS_TO_SPARE", patience)
    monkeypatch.setattr(remote, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(remote, "_ATTEMPTS", 1 if slow else 3)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """What is stored of the file when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("good")
    write_analyses(folder / "site")
    fetch_day(settings(), "hrrr", "20260601", folder / "day" / "manifest.csv", folder / "site")
    return (folder / "day" / STORED).read_bytes()


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_fault_of_the_only_source(trouble, good, tmp_path):
    write_analyses(tmp_path / "site")
    manifest = tmp_path / "day" / "manifest.csv"
    with serving(tmp_path / "site") as server:
        trouble.spoil(server, PATH)
        run = settings(archive={"source": {"mirror": server.address}})
        if trouble.complaint is None:
            fetch_day(run, "hrrr", "20260601", manifest)
            assert (tmp_path / "day" / STORED).read_bytes() == good
            return
        with pytest.raises(StormdrawError, match=trouble.complaint) as caught:
            fetch_day(run, "hrrr", "20260601", manifest)
    assert "\n" not in str(caught.value)
    assert "hrrr.t01z.wrfsfcf00.grib2" in str(caught.value)
    # The other path of a mirror, where the file is not, is no source that failed.
    assert "more sources" not in str(caught.value)
    assert not manifest.exists()
    assert not (tmp_path / "day" / STORED).exists()
    assert not list((tmp_path / "day").rglob(".*"))


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    "trouble",
    [trouble for trouble in TROUBLES if trouble.complaint],
    ids=lambda trouble: trouble.name,
)
def test_a_fault_of_the_file_is_an_absence_and_trouble_of_the_network_is_not(trouble, tmp_path):
    write_analyses(tmp_path / "site")
    manifest = tmp_path / "day" / "manifest.csv"
    with serving(tmp_path / "site") as server:
        trouble.spoil(server, PATH)
        run = settings(archive={"source": {"mirror": server.address}, "missing": "skip"})
        if not trouble.definite:
            with pytest.raises(StormdrawError, match=trouble.complaint):
                fetch_day(run, "hrrr", "20260601", manifest)
            assert not manifest.exists()
            return
        fetch_day(run, "hrrr", "20260601", manifest)
    table = read_manifest(manifest)
    absent = table[table["status"] == "absent"]
    assert absent_times(table) == [datetime(2026, 6, 1, 1)]
    assert set(table[table["init"].dt.hour != 1]["status"]) == {"ok"}
    assert absent["reason"].str.contains(trouble.complaint).all()


@pytest.mark.usefixtures("_impatient")
@pytest.mark.slow
@pytest.mark.parametrize(
    "trouble",
    [trouble for trouble in TROUBLES if trouble.complaint],
    ids=lambda trouble: trouble.name,
)
def test_another_source_steps_in(trouble, good, tmp_path):
    """A mirror is asked under two paths, which stand for two sources."""
    write_analyses(tmp_path / "site")
    for ending in ("", ".idx"):
        copy = tmp_path / "site" / (FLAT + ending).lstrip("/")
        copy.write_bytes((tmp_path / "site" / (PATH + ending).lstrip("/")).read_bytes())
    manifest = tmp_path / "day" / "manifest.csv"
    with serving(tmp_path / "site") as server:
        trouble.spoil(server, PATH)
        run = settings(archive={"source": {"mirror": server.address}})
        fetch_day(run, "hrrr", "20260601", manifest)
        assert (tmp_path / "day" / STORED).read_bytes() == good
        table = read_manifest(manifest)
        assert set(table.loc[table["init"].dt.hour == 1, "origin"]) == {server.address + FLAT}
