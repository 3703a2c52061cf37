"""A folder that one job at a time fetches into."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from stormdraw.errors import StormdrawError

_WORK = ".fetching"


@contextlib.contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """An empty folder inside `folder`, removed at the end.

    What a killed run left goes first: its workspace and its unfinished files. Raises StormdrawError
    if another job is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _only_job(folder):
        work = folder / _WORK
        shutil.rmtree(work, ignore_errors=True)
        for unfinished in folder.rglob(".*.partial*"):
            unfinished.unlink(missing_ok=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _only_job(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which goes with the process, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StormdrawError(
            f"{folder}: another job is fetching into it; wait until it has ended, or run in a "
            "checkout of its own"
        ) from None
    except OSError:
        # Some network file systems have no locks. Snakemake has one of its own.
        pass
    try:
        yield
    finally:
        os.close(descriptor)
