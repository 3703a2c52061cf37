import errno
import subprocess
import sys
from pathlib import Path

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.files import replacing, replacing_folder, scratch, write_text


def test_success_leaves_only_the_final_name(tmp_path):
    with replacing(tmp_path / "deep" / "a.nc") as temporary:
        assert temporary.suffix == ".nc"
        temporary.write_bytes(b"whole")
        assert not (tmp_path / "deep" / "a.nc").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.nc"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_failure_keeps_the_old_file_and_nothing_else(tmp_path, error):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(error), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_kill_leaves_nothing_under_the_final_name(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from stormdraw.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    library = Path(__file__).resolve().parents[3] / "workflow_scripts"
    killed = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.txt"], env={"PYTHONPATH": str(library)}
    )
    assert killed.returncode == -9
    assert not (tmp_path / "a.txt").exists()
    # What it left goes with the next try; what another file's job is writing does not.
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".partial.txt")
    other = tmp_path / ".a.own.0123abcd.partial.txt"
    other.touch()
    write_text(tmp_path / "a.txt", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a.txt"]


def test_a_folder_that_a_killed_process_left_goes(tmp_path):
    left = tmp_path / ".archive.0123abcd.partial"
    left.mkdir()
    (left / "half").touch()
    with replacing_folder(tmp_path / "archive") as folder:
        (folder / "new").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_scratch_begins_empty_and_goes(tmp_path):
    with pytest.raises(KeyboardInterrupt), scratch(tmp_path / "a.json") as folder:
        (folder / "drawn.nc").touch()
        # As after a kill: it is still there when the file is made again.
        with scratch(tmp_path / "a.json") as again:
            assert again == folder
            assert list(again.iterdir()) == []
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_folder_replaces_an_older_one(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "stale").touch()
    with replacing_folder(tmp_path / "archive") as folder:
        (folder / "new").touch()
    assert [path.name for path in (tmp_path / "archive").iterdir()] == ["new"]


def test_failed_folder_leaves_the_older_one(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "old").touch()
    full = pytest.raises(StormdrawError, match="no space left for")
    with full, replacing_folder(tmp_path / "archive") as folder:
        (folder / "new").touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert [path.name for path in tmp_path.rglob("*")] == ["archive", "old"]
