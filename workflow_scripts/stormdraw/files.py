"""Writes files so that they appear under their final name completely or not at all."""

import contextlib
import errno
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from stormdraw.errors import StormdrawError

# A full device, an exhausted quota, a file above the size limit of the process.
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# The size that must fit into a folder that is not full.
_PROBE = b"\0" * 1_000_000


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The temporary file keeps the suffix, which NetCDF and image writers need. It is removed if the
    block raises, including Ctrl-C; one left by a killed process is removed first. A file must have
    one writer at a time. Renaming within a folder is atomic on POSIX file systems. Raises
    StormdrawError if the block fails because the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path, path.suffix)
    temporary = path.with_name(f".{path.stem}.{_token()}.partial{path.suffix}")
    try:
        with _explaining_a_full_disk(path):
            yield temporary
            flush(temporary)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """`replacing` for a whole folder: yield an empty one, rename it to `path` at the end."""
    path = Path(path)
    _sweep(path, "")
    temporary = path.with_name(f".{path.name}.{_token()}.partial")
    temporary.mkdir(parents=True)
    try:
        with _explaining_a_full_disk(path):
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def scratch(path: str | Path) -> Iterator[Path]:
    """An empty folder beside `path` for intermediate files, removed at the end.

    It always has the same name, so that a killed process's folder is removed at the next attempt.
    """
    path = Path(path)
    folder = path.with_name(f".{path.name}.scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_full(folder: Path, error: BaseException) -> bool:
    """Whether an error came from writing into a folder without space.

    HDF5 reports a full disk as "HDF error" without a reason, and only writing reveals a quota. So
    this writes a small file.
    """
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return True
    probe = folder / f".{_token()}.probe"
    try:
        probe.write_bytes(_PROBE)
    except OSError as failure:
        return failure.errno in _NO_SPACE
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return False


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _explaining_a_full_disk(path: Path) -> Iterator[None]:
    """Ask while the partial file still takes what there was, and about its own folder: `results`
    may be a link to another disk."""
    try:
        yield
    except StormdrawError:
        raise
    except Exception as error:
        if is_full(path.parent, error):
            raise StormdrawError(no_space(path)) from error
        raise


def no_space(path: Path) -> str:
    """The message for a file that does not fit."""
    return (
        f"no space left for {path} on the disk of {path.parent.resolve()}; free some and run the "
        "same command again"
    )


def _token() -> str:
    return uuid.uuid4().hex[:8]


def _sweep(path: Path, suffix: str) -> None:
    """Remove what a killed process left of `path`."""
    name = glob.escape(path.name.removesuffix(suffix))
    for left in path.parent.glob(f".{name}.{'[0-9a-f]' * 8}.partial{glob.escape(suffix)}"):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Force the bytes to disk, so that a crash cannot leave an empty file under the final name."""
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
