"""A folder that one job at a time fetches into."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from stormdraw.errors import StormdrawError


@contextlib.contextmanager
def workspace(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process.

    Unfinished files of a killed run are removed first. Raises StormdrawError if another job is
    working there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        for unfinished in folder.rglob(".*.partial*"):
            unfinished.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StormdrawError(
            f"{folder}: another job is fetching into it; wait until it has ended, or run in "
            "another checkout"
        ) from None
    except OSError:
        # Some network file systems have no locks; Snakemake has its own.
        pass
