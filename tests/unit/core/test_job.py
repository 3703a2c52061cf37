import errno
import logging
from pathlib import Path

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.job import job


def fail_with(error, tmp_path):
    with pytest.raises(SystemExit) as stop, job("fields_normalise", tmp_path / "a.log"):
        raise error
    return stop.value.code


def test_user_error_is_one_line_and_no_traceback(tmp_path, capsys):
    assert fail_with(StormdrawError("a.grib2: empty; fetch it again"), tmp_path) == 1
    line = "stormdraw fields_normalise: a.grib2: empty; fetch it again\n"
    assert capsys.readouterr().err == line
    assert (tmp_path / "a.log").read_text() == line


def test_full_disk_says_where_and_what_to_do(tmp_path, capsys):
    assert fail_with(OSError(errno.ENOSPC, "No space left on device", "/data/x.nc"), tmp_path) == 1
    assert "no space left on the device of /data/x.nc; free some" in capsys.readouterr().err


def test_an_hdf_error_on_a_full_disk_is_told_as_such(tmp_path, capsys, monkeypatch):
    class FullDisk:
        free = 4096

    monkeypatch.setattr("stormdraw.job.shutil.disk_usage", lambda path: FullDisk)
    assert fail_with(RuntimeError("NetCDF: HDF error"), tmp_path) == 1
    assert f"no space left on the device of {Path.cwd()}" in capsys.readouterr().err


def test_interruption_has_its_own_status(tmp_path, capsys):
    assert fail_with(KeyboardInterrupt(), tmp_path) == 130
    assert "again to continue" in capsys.readouterr().err


def test_other_errors_put_the_traceback_in_the_log_only(tmp_path, capsys):
    assert fail_with(ZeroDivisionError("division\nby zero"), tmp_path) == 1
    terminal = capsys.readouterr().err
    assert terminal.count("\n") == 1
    assert "ZeroDivisionError: division by zero" in terminal
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_progress_goes_to_terminal_and_log(tmp_path, capsys):
    with job("models_train", tmp_path / "a.log"):
        logging.getLogger("stormdraw.models").info("epoch 1")
    assert capsys.readouterr().err == "[models_train] epoch 1\n"
    assert "epoch 1" in (tmp_path / "a.log").read_text()
