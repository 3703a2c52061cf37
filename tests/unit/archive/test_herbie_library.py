"""Herbie stays out of the home folder and off the terminal."""

import subprocess
import sys

from archive_mirror import write_analyses

SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from archive_mirror import settings
from stormdraw.archive.fetch import fetch_day
fetch_day(settings(), "hrrr", "20260601", Path("results/hrrr/20260601/manifest.csv"), "mirror")
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
    # No banner, no "created directory".
    assert finished.stdout == ""
    assert finished.stderr == ""
