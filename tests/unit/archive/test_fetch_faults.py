"""Every fault of a server: the right file in the end or a clear error, never a bad file."""

import pytest
from archive_faults import TROUBLES
from archive_mirror import settings, write_analyses
from archive_server import serving

from stormdraw.archive import download, herbie_library, transfer
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.herbie_library import PatientSession, load_herbie
from stormdraw.archive.manifest import read_manifest
from stormdraw.errors import StormdrawError

PATH = "/hrrr.20260601/conus/hrrr.t01z.wrfsfcf00.grib2"
FLAT = PATH.replace("/conus", "")
STORED = PATH.replace("/conus", "").lstrip("/")


@pytest.fixture
def _impatient(monkeypatch, tmp_path, trouble):
    """Short waits and few tries, so that a fault takes no minutes.

    Only where the fault is to be slow, since a busy machine is slow as well.
    """
    slow = trouble.name.startswith(("hang", "slow drip"))
    patience = 1.0 if slow else 20.0
    load_herbie(tmp_path / "herbie")
    import herbie.core

    monkeypatch.setattr(herbie_library, "_RETRIES", 1)
    monkeypatch.setattr(herbie_library, "_RETRIES_WITHOUT_ANSWER", 0)
    monkeypatch.setattr(herbie_library, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(herbie_library, "TIMEOUT", (patience, patience))
    monkeypatch.setattr(transfer, "SECONDS_TO_SPARE", patience)
    monkeypatch.setattr(download, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(download, "_ATTEMPTS", 1 if slow else 3)
    monkeypatch.setitem(vars(herbie.core), "requests", PatientSession())


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
    assert not manifest.exists()
    assert not (tmp_path / "day" / STORED).exists()
    assert not list((tmp_path / "day").rglob(".*"))


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
