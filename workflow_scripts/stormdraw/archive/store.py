"""The folder of a day: verified files, and a record of their origins."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import Verified, VerifiedMessage, verify_file
from stormdraw.archive.verify_series import verify_series
from stormdraw.errors import StormdrawError
from stormdraw.files import replacing, write_text
from stormdraw.grids import Grid

# Outlives the manifest, which Snakemake deletes before a rerun: changed code must not fetch
# everything again.
_RECORD = "origins.json"


@dataclass(frozen=True)
class StoredMessage:
    """The position of a variable's message in its file, and the hash of its bytes.

    `seconds_after` is how long after the wanted time the field is, in seconds.
    """

    variable: str
    offset: int
    bytes: int
    sha256: str
    seconds_after: int = 0


@dataclass(frozen=True)
class StoredFile:
    """A file that holds exactly these messages, all on `grid`.

    `path` is relative to the day's folder.
    """

    path: str
    origin: str
    messages: tuple[StoredMessage, ...]
    grid: Grid


class Store:
    """The verified files of a day. Several threads may store files in it.

    `remembers` says whether a later run may reuse the files. It is false for files from a folder,
    which may have changed by then and is quick to copy from.
    """

    def __init__(self, folder: Path, remembers: bool) -> None:
        self.folder = folder
        self.remembers = remembers
        self._origins = _read_record(folder / _RECORD)
        self._recording = threading.Lock()

    def put(
        self, path: str, messages: Sequence[VerifiedMessage], origin: str, grid: Grid
    ) -> StoredFile:
        """Write messages to a file one after another."""
        self._forget(path)
        with replacing(self.folder / path) as temporary:
            temporary.write_bytes(b"".join(message.content for message in messages))
        if self.remembers:
            with self._recording:
                self._origins[path] = origin
                self._write_record()
        return _stored(path, messages, origin, grid)

    def drop(self, path: str) -> None:
        """Remove a file that is not wanted after all."""
        self._forget(path)
        (self.folder / path).unlink(missing_ok=True)

    def find(
        self, path: str, request: FileRequest, is_current: Callable[[str], bool]
    ) -> StoredFile | None:
        """A file from before, if its origin is a current one and it still is what is wanted."""
        origin = self._origins.get(path)
        if origin is None or not is_current(origin) or not (self.folder / path).is_file():
            return None
        try:
            verified = self._verified(path, request)
        except StormdrawError:
            return None
        size = sum(len(message.content) for message in verified.messages)
        if verified.grid is None or verified.lacking:
            return None
        if size != (self.folder / path).stat().st_size:
            return None
        return _stored(path, verified.messages, origin, verified.grid)

    def _verified(self, path: str, request: FileRequest) -> Verified:
        if request.series is None:
            return verify_file(self.folder / path, request)
        message, grid = verify_series((self.folder / path).read_bytes(), request, path)
        return Verified((message,), grid, {})

    def _forget(self, path: str) -> None:
        """Remove a file from the record while it is being replaced."""
        with self._recording:
            if self._origins.pop(path, None) is not None:
                self._write_record()

    def _write_record(self) -> None:
        write_text(self.folder / _RECORD, json.dumps(self._origins, indent=1, sort_keys=True))


def _stored(path: str, messages: Sequence[VerifiedMessage], origin: str, grid: Grid) -> StoredFile:
    entries, offset = [], 0
    for message in messages:
        digest = hashlib.sha256(message.content).hexdigest()
        size = len(message.content)
        entries.append(StoredMessage(message.variable, offset, size, digest, message.seconds_after))
        offset += size
    return StoredFile(path, origin, tuple(entries), grid)


def _read_record(path: Path) -> dict[str, str]:
    """The origin of each file; empty if the record is unreadable."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
