"""A day of a source: every wanted message is fetched, verified, stored and listed."""

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from stormdraw.archive.absence import alternatives, may_be_absent, require_members
from stormdraw.archive.download import Download, Reachable, download, incomplete
from stormdraw.archive.faults import AbsentFileError
from stormdraw.archive.listing import Listing
from stormdraw.archive.manifest import (
    ABSENT,
    EXCLUDED,
    OK,
    OLDER_RUN,
    ManifestRow,
    write_manifest,
)
from stormdraw.archive.nearest import download_nearest
from stormdraw.archive.request import FileRequest
from stormdraw.archive.session import PatientSession
from stormdraw.archive.sources import Folder, Place, candidates, place_of, stored_path
from stormdraw.archive.store import Store, StoredFile, StoredMessage
from stormdraw.archive.verify import off_the_common_grid
from stormdraw.archive.wanted import requests
from stormdraw.archive.workspace import workspace
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]

_PROGRESS_LINES = 10

EXCLUDED_REASON = "archive.exclude names it"


@dataclass(frozen=True)
class Outcome:
    """The result for a wanted file.

    `taken` is the file used for it and `stored` what is kept of that, if anything. `lacking` says
    why a variable is missing, `error` what was wrong with the wanted file.
    """

    taken: FileRequest
    stored: StoredFile | None = None
    lacking: Mapping[str, str] = field(default_factory=dict)
    error: AbsentFileError | None = None


def fetch_day(
    settings: Settings,
    source: str,
    date: str,
    manifest_path: str | Path,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Fetch what a run needs of one day (YYYYMMDD) of a source, and write its manifest.

    Files are stored beside the manifest, with only the wanted messages in the order of the
    variables. A file from an interrupted run is verified and kept if it came over the network from
    a current source. `mirror` is the simulated archive's folder.

    A file that no source has without fault is listed as absent if `archive.missing` allows it, or
    if enough members of an ensemble are left. Otherwise raises StormdrawError; also if the network
    or a server fails, and if another run is fetching the same day.
    """
    manifest_path = Path(manifest_path)
    wanted = requests(settings, source, date)
    if not wanted:
        raise StormdrawError(f"{source}: the configuration needs nothing of {date}")
    place = place_of(settings, mirror)
    # Two members may share a file: the older member of a cycle is the newer one of an earlier
    # cycle.
    files = list(dict.fromkeys(dataclasses.replace(request, member="") for request in wanted))
    with workspace(manifest_path.parent):
        _require_distinct_names(files)
        fetching = _Fetching(settings, source, place, manifest_path.parent)
        fetched: dict[FileRequest, Outcome] = {}
        # Closed at once on an error, so that no thread keeps writing into the folder.
        with contextlib.closing(fetching.all(files)) as outcomes:
            for file, outcome in zip(files, outcomes, strict=True):
                _accept(outcome, may_be_absent(settings, source))
                fetched[file] = outcome
                _report(progress, len(fetched), len(files))
        for file, outcome in fetching.refetch_on_common_grid(fetched):
            _accept(outcome, may_be_absent(settings, source))
            fetched[file] = outcome
        rows = [
            row
            for request in wanted
            for row in _rows(request, fetched[dataclasses.replace(request, member="")])
        ]
    require_members(settings, source, date, rows)
    write_manifest(manifest_path, rows)


def _accept(outcome: Outcome, may_be_absent: bool) -> None:
    """Raise the error of a file that must not be absent."""
    if outcome.error is None:
        return
    if outcome.lacking and not may_be_absent:
        raise outcome.error
    logger.warning("%s", outcome.error)


class _Fetching:
    """Fetches the files of a day, several at once if they come over the network."""

    def __init__(self, settings: Settings, source: str, place: Place, folder: Path) -> None:
        self._settings = settings
        self._source = source
        self._place = place
        self._session = PatientSession()
        self._may_be_absent = may_be_absent(settings, source)
        self._store = Store(folder, remembers=not isinstance(place, Folder))
        self._reachable = Reachable()
        self._listing = Listing(place)

    def all(self, files: Sequence[FileRequest]) -> Generator[Outcome]:
        """The outcome of each file, in order."""
        if isinstance(self._place, Folder):
            yield from map(self.one, files)
            return
        with ThreadPoolExecutor(max_workers=self._settings.archive.connections) as pool:
            try:
                yield from pool.map(self.one, files)
            finally:
                # After an error or Ctrl-C no new file is started.
                pool.shutdown(wait=False, cancel_futures=True)

    def refetch_on_common_grid(
        self, fetched: Mapping[FileRequest, Outcome]
    ) -> Iterator[tuple[FileRequest, Outcome]]:
        """Fetch files elsewhere if they are not on the most common grid of their kind."""
        by_kind: dict[tuple[str, str], dict[FileRequest, Grid]] = {}
        for file, outcome in fetched.items():
            if outcome.stored is not None:
                kind = (outcome.taken.model, outcome.taken.product)
                by_kind.setdefault(kind, {})[file] = outcome.stored.grid
        for grids in by_kind.values():
            common, others = off_the_common_grid(grids)
            for file in others:
                self._drop(fetched[file])
                yield file, self.one(file, common)

    def one(self, file: FileRequest, grid: Grid | None = None) -> Outcome:
        """Fetch a file or, if configured, one that can replace it."""
        if file.excluded:
            return Outcome(file, lacking=dict.fromkeys(file.variables, EXCLUDED_REASON))
        wanted = self._fetch(file, grid)
        if not wanted.lacking:
            return wanted
        for candidate in alternatives(self._settings, self._source, file):
            other = self._fetch(candidate, grid)
            if not other.lacking:
                self._drop(wanted)
                return dataclasses.replace(other, error=wanted.error)
            self._drop(other)
        return wanted

    def _fetch(self, file: FileRequest, grid: Grid | None) -> Outcome:
        path = stored_path(file)
        found = self._find(path, file)
        if found is not None and (grid is None or found.grid.matches(grid)):
            return Outcome(file, found)
        try:
            fetched = self._download(file, grid)
        except AbsentFileError as error:
            return Outcome(file, None, dict.fromkeys(file.variables, error.reason), error)
        lacking = {name: fault.finding for name, fault in fetched.lacking.items()}
        wrong = incomplete(fetched) if lacking else None
        if lacking and not self._may_be_absent:
            return Outcome(file, None, lacking, wrong)
        stored = self._store.put(path, fetched.messages, fetched.origin, fetched.grid)
        return Outcome(file, stored, lacking, wrong)

    def _find(self, path: str, file: FileRequest) -> StoredFile | None:
        """A file stored by an earlier run."""
        if not self._store.remembers:
            return None
        if file.series is not None:
            folder = self._listing.address(file.series)
            return self._store.find(path, file, lambda origin: origin.startswith(folder))
        origins = set(candidates(file, self._place).values())
        return self._store.find(path, file, origins.__contains__)

    def _download(self, file: FileRequest, grid: Grid | None) -> Download:
        if file.series is not None:
            return download_nearest(self._listing, file, file.series, grid)
        return download(self._session, file, self._place, self._reachable, grid)

    def _drop(self, outcome: Outcome) -> None:
        if outcome.stored is not None:
            self._store.drop(outcome.stored.path)


def _require_distinct_names(files: Sequence[FileRequest]) -> None:
    """Raise StormdrawError if two files would be stored under one name."""
    by_path: dict[str, FileRequest] = {}
    for file in files:
        path = stored_path(file)
        if path in by_path:
            raise StormdrawError(f"{file} and {by_path[path]} are both called {path}")
        by_path[path] = file


def _report(progress: Progress | None, done: int, total: int) -> None:
    """Report about ten times a day."""
    tenths, before = (count * _PROGRESS_LINES // total for count in (done, done - 1))
    if progress is not None and tenths > before:
        progress(f"{done} of {total} files")


def _rows(request: FileRequest, outcome: Outcome) -> list[ManifestRow]:
    """The manifest rows of a request, one for each variable."""
    taken, stored, error = outcome.taken, outcome.stored, outcome.error
    whole = OK if taken.init == request.init else OLDER_RUN
    messages = {} if stored is None else {entry.variable: entry for entry in stored.messages}
    origin = stored.origin if stored is not None else error.looked_at if error is not None else ""
    rows = []
    for name in request.variables:
        message = messages.get(name, StoredMessage(name, 0, 0, ""))
        reason = outcome.lacking.get(name, error.reason if whole == OLDER_RUN and error else "")
        missing = EXCLUDED if request.excluded else ABSENT
        rows.append(
            ManifestRow(
                file=stored_path(taken) if stored is None else stored.path,
                variable=name,
                member=request.member,
                init=taken.init,
                lead=taken.lead,
                statistic=request.statistic or "",
                offset=message.offset,
                bytes=message.bytes,
                sha256=message.sha256,
                seconds_after=message.seconds_after,
                origin=origin,
                status=whole if name in messages else missing,
                reason=reason,
            )
        )
    return rows
