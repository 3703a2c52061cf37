"""What around a run would stop it, or put other code in the place of its own."""

import shlex
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from stormdraw.errors import StormdrawError

LIBRARY = Path(__file__).parent


def check_interpreter(executable: str = sys.executable) -> None:
    """Raise StormdrawError if Snakemake cannot start scripts with this Python.

    It hands the path to a shell as it is, which takes it apart at a space and the like.
    """
    if shlex.quote(executable) != executable:
        raise StormdrawError(
            f"Python lies at {executable!r}, a path that Snakemake's shell takes apart at a space "
            "or another special character, so that every job would fail; move the checkout and its "
            ".venv to a path of letters, digits and . _ - / only"
        )


def check_library(search_path: Sequence[str]) -> None:
    """Raise StormdrawError if a job would import another stormdraw, first on this search path.

    `search_path` is Python's without what a script adds to it. The library of the checkout comes
    after it in a job.
    """
    found = PathFinder.find_spec("stormdraw", list(search_path))
    # A folder that only has this name is no package, and comes after all that are.
    if found is None or found.origin is None or Path(found.origin).parent.samefile(LIBRARY):
        return
    raise StormdrawError(
        f"Python finds another stormdraw first, {Path(found.origin).parent}, and jobs would run "
        f"that in the place of {LIBRARY}; take it off PYTHONPATH or out of the environment"
    )
