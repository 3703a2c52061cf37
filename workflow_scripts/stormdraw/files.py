"""Files appear under their final name whole or not at all."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The temporary file keeps the suffix, since NetCDF and image writers look at it. It is removed if
    the block raises, Ctrl-C included. Renaming within a folder is atomic on POSIX file systems.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """As `replacing`, for a whole folder: yield an empty one, rename it to `path` at the end."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(path: Path) -> None:
    """Force the bytes to disk, so that a crash cannot leave a final name on an empty file."""
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` at once."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
