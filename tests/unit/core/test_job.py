import errno
import logging
import os
import subprocess
import sys

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
    full = OSError(errno.ENOSPC, "No space left on device", "/data/x.nc")
    assert fail_with(full, tmp_path) == 1
    line = "no space left for /data/x.nc on the disk of /data; free some and run"
    assert line in capsys.readouterr().err
    # An error in writing into an open file names none.
    assert fail_with(OSError(errno.ENOSPC, "No space left on device"), tmp_path) == 1
    assert f"on the disk of {tmp_path.resolve()}; free some" in capsys.readouterr().err


WRITE_MUCH = """
import resource, sys
import netCDF4, numpy
from stormdraw.files import replacing
from stormdraw.job import job

with job("scores_case", "log/a.log"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    with replacing("results/fields/a.nc") as path, netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", 1_000_000)
        file.createVariable("T2M", "f8", ("x",))[:] = numpy.random.default_rng(0).random(1_000_000)
"""


def test_hdf5_that_finds_no_space_names_the_disk_behind_a_link(tmp_path):
    """A file that may not grow stands for a disk that is full: to HDF5 they are the same."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").symlink_to("elsewhere")
    written = subprocess.run(
        [sys.executable, "-c", WRITE_MUCH],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert written.returncode == 1
    assert written.stderr.startswith(
        "stormdraw scores_case: no space left for results/fields/a.nc on the disk of "
        f"{tmp_path.resolve()}/elsewhere/fields; free some"
    )
    assert list((tmp_path / "results" / "fields").iterdir()) == []


def test_interruption_has_its_own_status(tmp_path, capsys):
    assert fail_with(KeyboardInterrupt(), tmp_path) == 130
    assert "again to continue" in capsys.readouterr().err


def test_other_errors_put_the_traceback_in_the_log_only(tmp_path, capsys):
    assert fail_with(ZeroDivisionError("division\nby zero"), tmp_path) == 1
    terminal = capsys.readouterr().err
    assert terminal.count("\n") == 1
    assert "ZeroDivisionError: division by zero" in terminal
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_progress_goes_to_the_log_and_now_and_then_to_the_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    clock = iter([0.0, 29.0, 30.0, 30.0, 59.0])
    monkeypatch.setattr("stormdraw.job.time.monotonic", lambda: next(clock))
    with job("models_train", tmp_path / "a.log"):
        for epoch in (1, 2, 3):
            logging.getLogger("stormdraw.models").info(f"epoch {epoch}")
        logging.getLogger("stormdraw.models").warning("no GPU")
    told = "[models_train] epoch 2\n[models_train] no GPU\n"
    assert capsys.readouterr().err == told
    assert all(f"epoch {epoch}" in (tmp_path / "a.log").read_text() for epoch in (1, 2, 3))


def test_a_job_of_slurm_keeps_every_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with job("models_train", tmp_path / "a.log"):
        for epoch in (1, 2):
            logging.getLogger("stormdraw.models").info(f"epoch {epoch}")
    assert capsys.readouterr().err == "[models_train] epoch 1\n[models_train] epoch 2\n"


def test_on_a_terminal_a_line_wipes_the_bar_of_running_jobs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert fail_with(StormdrawError("no days"), tmp_path) == 1
    assert capsys.readouterr().err == "\r\033[2Kstormdraw fields_normalise: no days\n"
