"""A day of a source: every wanted message fetched, verified, stored and listed."""

import contextlib
import dataclasses
import logging
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from stormdraw.archive.absence import alternatives, may_be_absent, require_members
from stormdraw.archive.download import AbsentFileError, Reachable, download
from stormdraw.archive.herbie_library import load_herbie, prints_to_log
from stormdraw.archive.manifest import ABSENT, OK, OLDER_RUN, ManifestRow, write_manifest
from stormdraw.archive.sections import grid_digest
from stormdraw.archive.sources import Folder, Place, candidates, place_of, stored_path
from stormdraw.archive.store import Store, StoredFile, StoredMessage
from stormdraw.archive.verify import VerifiedMessage
from stormdraw.archive.wanted import FileRequest, requests
from stormdraw.archive.workspace import workspace
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]

_PROGRESS_LINES = 10


@dataclass(frozen=True)
class Outcome:
    """What became of a wanted file: the file that was taken for it, if any, and its messages."""

    taken: FileRequest
    stored: StoredFile | AbsentFileError


def fetch_day(
    settings: Settings,
    source: str,
    date: str,
    manifest_path: str | Path,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Fetch what a run needs of one day (YYYYMMDD) of a source, and write its manifest.

    Files lie beside the manifest, only the wanted messages in each, in the order of the variables.
    A file from an interrupted run is verified again and kept if it came over the network from where
    it would come from now. `mirror` is the simulated archive's folder.

    What is absent at every source is listed as such where `archive.missing` or, for members of a
    reference ensemble, `minimum_members` allows it; so is a forecast of HRRR's. Raises
    StormdrawError if not, if a file is not what was asked for at any source, and if another run is
    fetching the same day.
    """
    manifest_path = Path(manifest_path)
    wanted = requests(settings, source, date)
    if not wanted:
        raise StormdrawError(f"{source}: the configuration needs nothing of {date}")
    place = place_of(settings, mirror)
    # Two members may be one file: the older member of a cycle is the newer one of an earlier.
    files = list(dict.fromkeys(dataclasses.replace(request, member="") for request in wanted))
    with workspace(manifest_path.parent) as work, prints_to_log():
        herbie = load_herbie(work / "herbie")
        _require_distinct_names(herbie, files)
        fetching = _Fetching(settings, source, herbie, place, manifest_path.parent, work)
        fetched: dict[FileRequest, Outcome] = {}
        # Closed at once on an error, so that no thread still writes into the workspace.
        with contextlib.closing(fetching.all(files)) as outcomes:
            for file, outcome in zip(files, outcomes, strict=True):
                if isinstance(outcome.stored, AbsentFileError):
                    if not may_be_absent(settings, source):
                        raise outcome.stored
                    logger.warning("%s", outcome.stored)
                fetched[file] = outcome
                _report(progress, len(fetched), len(files))
        rows = [
            row
            for request in wanted
            for row in _rows(herbie, request, fetched[dataclasses.replace(request, member="")])
        ]
    require_members(settings, source, date, rows)
    write_manifest(manifest_path, rows)


class _Fetching:
    """Fetches the files of a day, several at once where there is a network to wait for."""

    def __init__(
        self,
        settings: Settings,
        source: str,
        herbie: ModuleType,
        place: Place,
        folder: Path,
        work: Path,
    ) -> None:
        self._settings = settings
        self._source = source
        self._herbie = herbie
        self._place = place
        self._work = work
        self._store = Store(folder, remembers=not isinstance(place, Folder))
        self._reachable = Reachable()
        self._grids = _Grids()

    def all(self, files: Sequence[FileRequest]) -> Generator[Outcome]:
        """The outcome of each file, in order."""
        if isinstance(self._place, Folder):
            for number, file in enumerate(files):
                yield self.one(number, file)
            return
        with ThreadPoolExecutor(max_workers=self._settings.archive.connections) as pool:
            try:
                yield from pool.map(self.one, range(len(files)), files)
            finally:
                # After an error or Ctrl-C nothing new is begun.
                pool.shutdown(wait=False, cancel_futures=True)

    def one(self, number: int, file: FileRequest) -> Outcome:
        """Fetch a file or, where that is wanted, one that can stand in for it."""
        work = self._work / str(number)
        try:
            return Outcome(file, self._fetch(file, work))
        except AbsentFileError as error:
            absent = error
        for candidate in alternatives(self._settings, self._source, file):
            with contextlib.suppress(AbsentFileError):
                return Outcome(candidate, self._fetch(candidate, work))
        return Outcome(file, absent)

    def _fetch(self, file: FileRequest, work: Path) -> StoredFile:
        path = stored_path(self._herbie, file)
        found = self._find(path, file)
        if found is not None:
            return found

        def accept(messages: Sequence[VerifiedMessage], origin: str) -> None:
            self._grids.require(file, grid_digest(messages[0].content), origin)

        try:
            fetched = download(self._herbie, file, self._place, work, self._reachable, accept)
        finally:
            # Herbie takes what an earlier file left there for its own.
            shutil.rmtree(work, ignore_errors=True)
        return self._store.put(path, fetched.messages, fetched.origin)

    def _find(self, path: str, file: FileRequest) -> StoredFile | None:
        """A file stored by an earlier run."""
        if not self._store.remembers:
            return None
        origins = candidates(self._herbie, file, self._place).values()
        found = self._store.find(path, file, origins)
        if found is not None:
            self._grids.require(file, found.grid, found.origin)
        return found


class _Grids:
    """The grid that each model's files of a day are on."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        self._lock = threading.Lock()

    def require(self, file: FileRequest, grid: str, origin: str) -> None:
        """Raises StormdrawError if another file of the same kind had another grid."""
        with self._lock:
            key = (file.model, file.product)
            expected, where = self._known.setdefault(key, (grid, origin))
        if grid != expected:
            raise StormdrawError(
                f"{origin}: its grid is not that of {where}; replace whichever is wrong, or choose "
                "periods in which the grid does not change"
            )


def _require_distinct_names(herbie: ModuleType, files: Sequence[FileRequest]) -> None:
    """Raises StormdrawError if two files would be kept under one name."""
    by_path: dict[str, FileRequest] = {}
    for file in files:
        path = stored_path(herbie, file)
        if path in by_path:
            raise StormdrawError(f"{file} and {by_path[path]} are both called {path}")
        by_path[path] = file


def _report(progress: Progress | None, done: int, total: int) -> None:
    """Some ten lines a day."""
    tenths, before = (count * _PROGRESS_LINES // total for count in (done, done - 1))
    if progress is not None and tenths > before:
        progress(f"{done} of {total} files")


def _rows(herbie: ModuleType, request: FileRequest, outcome: Outcome) -> list[ManifestRow]:
    """The manifest's rows of a request, one for each variable."""
    taken, stored = outcome.taken, outcome.stored
    if isinstance(stored, AbsentFileError):
        path, origin, status = stored_path(herbie, request), stored.looked_at, ABSENT
        messages = [StoredMessage(name, 0, 0, "") for name in request.variables]
    else:
        status = OK if taken.init == request.init else OLDER_RUN
        path, origin, messages = stored.path, stored.origin, list(stored.messages)
    return [
        ManifestRow(
            file=path,
            variable=message.variable,
            member=request.member,
            init=taken.init,
            lead=taken.lead,
            statistic=request.statistic or "",
            offset=message.offset,
            bytes=message.bytes,
            sha256=message.sha256,
            origin=origin,
            status=status,
        )
        for message in messages
    ]
