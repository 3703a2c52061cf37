"""What lies about, in folders or in the environment, does not change what a run makes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.surroundings import check_interpreter, check_library

LIBRARY = Path(__file__).resolve().parents[3] / "workflow_scripts"


def passes(check: Callable[[Any], None], argument: Any) -> bool:
    """Whether a check finds nothing to complain of."""
    try:
        check(argument)
    except StormdrawError:
        return False
    return True


@pytest.mark.parametrize(
    "folder", ["/home/me/my models", "/home/me/models (2)", "/home/o'neil", "/data/$USER", "/a&b"]
)
def test_a_path_that_a_shell_takes_apart_is_told(folder):
    with pytest.raises(StormdrawError, match="move the checkout"):
        check_interpreter(f"{folder}/.venv/bin/python")


def test_an_ordinary_path_is_good():
    assert passes(check_interpreter, "/home/me/storm-draw_2.0/.venv/bin/python3.11")


def package(folder: Path) -> str:
    (folder / "stormdraw").mkdir(parents=True)
    (folder / "stormdraw" / "__init__.py").touch()
    return str(folder)


def test_another_stormdraw_before_this_one_is_told(tmp_path):
    other = package(tmp_path / "other")
    with pytest.raises(StormdrawError, match=f"another stormdraw first, {other}/stormdraw"):
        check_library([other, str(LIBRARY)])


def test_this_one_or_none_before_it_is_good(tmp_path):
    assert passes(check_library, [str(tmp_path)])
    assert passes(check_library, [str(LIBRARY), package(tmp_path / "other")])
    # A folder of data that has the name is no package.
    (tmp_path / "stormdraw").mkdir()
    assert passes(check_library, [str(tmp_path)])


def python(program: str, folder: Path, **environment: str) -> str:
    """What a program prints that is run in a folder, with these variables besides."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(LIBRARY), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("variable", ["ECCODES_DEFINITION_PATH", "GRIB_DEFINITION_PATH"])
def test_tables_of_another_eccodes_are_not_read(tmp_path, variable):
    """Such a table gives the variable of this sample another name."""
    tables = tmp_path / "grib2"
    tables.mkdir()
    (tables / "boot.def").write_text('constant shortName = "storm" : dump;\n')
    program = (
        "import stormdraw, eccodes\n"
        "handle = eccodes.codes_grib_new_from_samples('GRIB2')\n"
        "print(eccodes.codes_get(handle, 'shortName'))\n"
    )
    named = python(program, tmp_path)
    assert named == "t\n"
    assert python(program, tmp_path, **{variable: str(tmp_path)}) == named


def test_settings_of_matplotlib_that_lie_about_change_no_figure(tmp_path):
    program = (
        "from stormdraw.report.style import describe, drawn\n"
        "with drawn('figure.svg', (3, 2), 'Title') as figure:\n"
        "    figure.subplots().plot([0, 1], [0, 1])\n"
        "    describe(figure, 'A line.')\n"
        "print(open('figure.svg').read())\n"
    )
    expected = python(program, tmp_path)
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\naxes.facecolor: red\n")
    assert python(program, tmp_path) == expected


def test_the_commit_is_that_of_the_checkout(tmp_path):
    program = "from stormdraw.provenance import commit; print(commit())"
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "Another"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    # As in a hook of another repository.
    assert python(program, tmp_path, GIT_DIR=str(tmp_path / ".git")) == python(program, tmp_path)


def test_a_copy_within_another_repository_has_no_commit(tmp_path):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "Another"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    copy = tmp_path / "copy" / "workflow_scripts" / "stormdraw"
    copy.mkdir(parents=True)
    for name in ("__init__.py", "provenance.py"):
        (copy / name).write_text((LIBRARY / "stormdraw" / name).read_text())
    program = "from stormdraw.provenance import commit; print(commit())"
    assert python(program, tmp_path, PYTHONPATH=str(copy.parent)) == "unknown\n"
