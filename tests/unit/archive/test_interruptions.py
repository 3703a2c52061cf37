"""A kill, a full disk and another job at any moment leave nothing that passes for good."""

import errno
import resource
import signal
import subprocess
import sys
import time

import pytest
from archive_mirror import HOURS, settings, write_analyses
from archive_server import drip, serving

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.workspace import workspace
from stormdraw.errors import StormdrawError

SLOW = "/hrrr.20260601/conus/hrrr.t06z.wrfsfcf00.grib2"
FETCH = """
import sys
sys.path[:0] = {paths!r}
from archive_mirror import settings
from stormdraw.archive.fetch import fetch_day
run = settings(archive={{"source": {{"mirror": {address!r}}}, "connections": 1}})
fetch_day(run, "hrrr", "20260601", {manifest!r})
"""


@pytest.fixture
def good(tmp_path):
    """What a fetch that nothing disturbs leaves."""
    write_analyses(tmp_path / "site")
    fetch_day(settings(), "hrrr", "20260601", tmp_path / "good" / "m.csv", tmp_path / "site")
    return stored(tmp_path / "good")


def stored(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.grib2")}


def test_killed_in_the_middle_of_a_download(good, root, tmp_path):
    manifest = tmp_path / "day" / "manifest.csv"
    with serving(tmp_path / "site") as server:
        server.faults[SLOW] = drip
        paths = [str(root / "workflow_scripts"), str(root / "tests" / "unit" / "archive")]
        script = FETCH.format(paths=paths, address=server.address, manifest=str(manifest))
        process = subprocess.Popen([sys.executable, "-c", script])
        end = time.monotonic() + 60
        while SLOW not in server.asked("GET") and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not manifest.exists()
        assert len(stored(tmp_path / "day")) == HOURS.index(6)
        assert stored(tmp_path / "day").items() <= good.items()
        server.faults.clear()
        server.log.clear()
        unfinished = tmp_path / "day" / "hrrr.20260601" / ".hrrr.t06z.0.partial.grib2"
        unfinished.write_bytes(b"GRIB")
        fetch_day(
            settings(archive={"source": {"mirror": server.address}}), "hrrr", "20260601", manifest
        )
        assert stored(tmp_path / "day") == good
        assert len(server.asked("GET")) == 2 * (len(HOURS) - HOURS.index(6))
        assert not unfinished.exists()


def test_a_full_disk(good, tmp_path):
    """No file may grow beyond 1,000 bytes: the first that does is left under no name."""
    assert len(good["hrrr.20260601/hrrr.t00z.wrfsfcf00.grib2"]) > 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    manifest = tmp_path / "day" / "manifest.csv"
    try:
        with pytest.raises(StormdrawError, match=r"no space left for .*free some") as caught:
            fetch_day(settings(), "hrrr", "20260601", manifest, tmp_path / "site")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EFBIG
    assert not [path for path in (tmp_path / "day").rglob("*") if path.is_file()]


def test_two_jobs_in_one_folder(good, tmp_path):
    manifest = tmp_path / "day" / "manifest.csv"
    with (
        workspace(manifest.parent),
        pytest.raises(StormdrawError, match="another job is fetching into it"),
    ):
        fetch_day(settings(), "hrrr", "20260601", manifest, tmp_path / "site")
    fetch_day(settings(), "hrrr", "20260601", manifest, tmp_path / "site")
    assert stored(manifest.parent) == good
