"""Checks of the environment that would stop a run or make it use other code."""

import shlex
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from stormdraw.errors import StormdrawError

LIBRARY = Path(__file__).parent


def check_interpreter(executable: str = sys.executable) -> None:
    """Raise StormdrawError if Snakemake cannot start scripts with this Python.

    Snakemake passes the path to a shell unquoted, which splits it at spaces and other special
    characters.
    """
    if shlex.quote(executable) != executable:
        raise StormdrawError(
            f"Python lies at {executable!r}, a path that Snakemake's shell takes apart at a space "
            "or another special character, so that every job would fail; move the checkout and its "
            ".venv to a path of letters, digits and . _ - / only"
        )


def check_library(search_path: Sequence[str]) -> None:
    """Raise StormdrawError if a job would import another stormdraw first on this search path.

    `search_path` is Python's, without the entries of a script. In a job, the checkout's library
    comes after it.
    """
    found = PathFinder.find_spec("stormdraw", list(search_path))
    # A folder that only has this name is a namespace package, which comes last.
    if found is None or found.origin is None or Path(found.origin).parent.samefile(LIBRARY):
        return
    raise StormdrawError(
        f"Python finds another stormdraw first, {Path(found.origin).parent}, and jobs would run "
        f"that instead of {LIBRARY}; remove it from PYTHONPATH or from the environment"
    )
