"""Herbie stays out of the home folder and off the terminal."""

import subprocess
import sys

import pytest
from archive_mirror import write_analyses

from stormdraw.archive.herbie_library import load_herbie, prints_to_log

SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from archive_mirror import settings
from stormdraw.archive.fetch import fetch_day
fetch_day(settings(), "hrrr", "20260601", Path("results/hrrr/20260601/manifest.csv"), "mirror")
import herbie
print(herbie.core.config["default"]["save_dir"])
"""


def test_the_home_folder_stays_empty(root, tmp_path):
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    write_analyses(run / "mirror")
    paths = [str(root / "workflow_scripts"), str(root / "tests" / "unit" / "archive")]
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(paths=paths)],
        cwd=run,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(home.rglob("*")) == []
    assert sorted(entry.name for entry in run.iterdir()) == ["mirror", "results"]
    # No banner, no "created directory": only what the script itself prints.
    assert finished.stdout.splitlines() == [str(run / "results/hrrr/20260601/.fetching/herbie")]
    assert finished.stderr == ""


def test_what_is_printed_goes_to_the_log(capsys, caplog):
    with caplog.at_level("INFO", logger="herbie"), prints_to_log():
        print("  banner\n\n of two lines")
    assert [record.getMessage() for record in caplog.records] == ["banner", "of two lines"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["plain", 'quoted "and\\ escaped'])
def test_the_configuration_is_valid_whatever_the_folder_is_called(tmp_path, name):
    import tomllib

    load_herbie(tmp_path / name)
    with open(tmp_path / name / "config.toml", "rb") as stream:
        configuration = tomllib.load(stream)
    assert configuration["default"]["save_dir"] == str(tmp_path / name)
