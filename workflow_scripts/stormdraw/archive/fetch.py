"""A day of a source: every wanted message fetched, verified, stored and listed."""

import contextlib
import dataclasses
import logging
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from stormdraw.archive.download import AbsentFileError, Download, download
from stormdraw.archive.herbie_library import load_herbie, prints_to_log
from stormdraw.archive.manifest import ABSENT, OK, ManifestRow, write_manifest
from stormdraw.archive.membership import href_members
from stormdraw.archive.sources import Folder, Place, candidates, place_of, stored_path
from stormdraw.archive.store import Store, StoredFile, StoredMessage
from stormdraw.archive.verify import verify
from stormdraw.archive.wanted import MAY_LACK_FILES, FileRequest, minimum_members, requests
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import format_date, hours

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]

_WORK = ".fetching"
_PROGRESS_LINES = 10


def fetch_day(
    settings: Settings,
    source: str,
    date: str,
    manifest_path: str | Path,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
    connections: int = 4,
) -> None:
    """Fetch what a run needs of one day (YYYYMMDD) of a source, and write its manifest.

    Files lie beside the manifest, only the wanted messages in each, in the order of the variables.
    A file from an interrupted run is verified again and kept if it came over the network from where
    it would come from now. `mirror` is the simulated archive's folder, `connections` how many files
    are fetched at once over the network.

    A forecast or a member of a reference ensemble that is absent is listed as such. Raises
    StormdrawError if too few members remain, if anything else is absent, or if a file is not what
    was asked for.
    """
    manifest_path = Path(manifest_path)
    wanted = requests(settings, source, date)
    if not wanted:
        raise StormdrawError(f"{source}: the configuration needs nothing of {date}")
    place = place_of(settings, mirror)
    folder = manifest_path.parent
    with _workspace(folder) as work, prints_to_log():
        herbie = load_herbie(work / "herbie")
        # Two members may be one file: the older member of a cycle is the newer one of an earlier.
        files = list(dict.fromkeys(dataclasses.replace(request, member="") for request in wanted))
        _require_distinct_names(herbie, files)
        fetched: dict[FileRequest, StoredFile | AbsentFileError] = {}
        store = Store(folder, remembers=not isinstance(place, Folder))
        outcomes = _fetch(herbie, files, place, store, work, connections)
        # Closed at once on an error, so that no thread still writes into the workspace.
        with contextlib.closing(outcomes):
            for file, outcome in outcomes:
                if isinstance(outcome, AbsentFileError) and source not in MAY_LACK_FILES:
                    raise outcome
                fetched[file] = outcome
                _report(progress, len(fetched), len(files), outcome)
        rows = [
            row
            for request in wanted
            for row in _rows(herbie, request, fetched[dataclasses.replace(request, member="")])
        ]
    if source == "href":
        _require_members(settings, date, rows)
    write_manifest(manifest_path, rows)


@contextlib.contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk, removed at the end; one left by a killed run goes first."""
    work = folder / _WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _require_distinct_names(herbie: ModuleType, files: list[FileRequest]) -> None:
    """Raises StormdrawError if two files would be kept under one name."""
    by_path: dict[str, FileRequest] = {}
    for file in files:
        path = stored_path(herbie, file)
        if path in by_path:
            raise StormdrawError(f"{file} and {by_path[path]} are both called {path}")
        by_path[path] = file


def _fetch(
    herbie: ModuleType,
    files: list[FileRequest],
    place: Place,
    store: Store,
    work: Path,
    connections: int,
) -> Generator[tuple[FileRequest, StoredFile | AbsentFileError]]:
    """Each file with what became of it. Only the waiting is done in threads, not ecCodes' work."""
    missing = []
    for file in files:
        found = _find(herbie, file, place, store)
        if found is None:
            missing.append(file)
        else:
            yield file, found

    def attempt(number: int, file: FileRequest) -> Download | AbsentFileError:
        try:
            return download(herbie, file, place, work / str(number))
        except AbsentFileError as error:
            return error

    with contextlib.closing(_in_order(attempt, missing, place, connections)) as outcomes:
        for number, (file, outcome) in enumerate(zip(missing, outcomes, strict=True)):
            if isinstance(outcome, Download):
                messages = verify(outcome.path, file, outcome.origin)
                yield file, store.put(stored_path(herbie, file), messages, outcome.origin)
            else:
                yield file, outcome
            shutil.rmtree(work / str(number), ignore_errors=True)


def _find(herbie: ModuleType, file: FileRequest, place: Place, store: Store) -> StoredFile | None:
    """A file stored by an earlier run."""
    if not store.remembers:
        return None
    origins = candidates(herbie, file, place).values()
    return store.find(stored_path(herbie, file), file, origins)


def _in_order(
    attempt: Callable[[int, FileRequest], Download | AbsentFileError],
    files: list[FileRequest],
    place: Place,
    connections: int,
) -> Generator[Download | AbsentFileError]:
    """The outcome of each file, in order; several at once where there is a network to wait for."""
    if isinstance(place, Folder):
        for number, file in enumerate(files):
            yield attempt(number, file)
        return
    with ThreadPoolExecutor(max_workers=connections) as pool:
        try:
            yield from pool.map(attempt, range(len(files)), files)
        finally:
            # After an error or Ctrl-C nothing new is begun.
            pool.shutdown(wait=False, cancel_futures=True)


def _report(
    progress: Progress | None, done: int, total: int, outcome: StoredFile | AbsentFileError
) -> None:
    """Some ten lines a day, and one for each absent file."""
    if isinstance(outcome, AbsentFileError):
        logger.warning("%s", outcome)
    tenths, before = (count * _PROGRESS_LINES // total for count in (done, done - 1))
    if progress is not None and tenths > before:
        progress(f"{done} of {total} files")


def _rows(
    herbie: ModuleType, request: FileRequest, outcome: StoredFile | AbsentFileError
) -> list[ManifestRow]:
    """The manifest's rows of a request, one for each variable."""
    if isinstance(outcome, AbsentFileError):
        path, origin, status = stored_path(herbie, request), outcome.looked_at, ABSENT
        messages = [StoredMessage(name, 0, 0, "") for name in request.variables]
    else:
        path, origin, status = outcome.path, outcome.origin, OK
        messages = list(outcome.messages)
    return [
        ManifestRow(
            file=path,
            variable=message.variable,
            member=request.member,
            init=request.init,
            lead=request.lead,
            statistic=request.statistic or "",
            offset=message.offset,
            bytes=message.bytes,
            sha256=message.sha256,
            origin=origin,
            status=status,
        )
        for message in messages
    ]


def _require_members(settings: Settings, date: str, rows: list[ManifestRow]) -> None:
    """Raises StormdrawError if fewer members than `minimum_members` are there at some lead."""
    minimum = minimum_members(settings)
    there = {(row.member, row.init, row.lead) for row in rows if row.status == OK}
    for cycle in settings.initial_times():
        if format_date(cycle) != date:
            continue
        members = href_members(cycle)
        for lead in settings.leads:
            absent = [
                member.name
                for member in members
                if (member.name, cycle - hours(member.age), member.own_lead(lead)) not in there
            ]
            if len(members) - len(absent) < minimum:
                raise StormdrawError(
                    f"HREF of {cycle:%Y-%m-%d %H} UTC + {lead} h: {len(members) - len(absent)} of "
                    f"{len(members)} members are there and minimum_members is {minimum}; absent: "
                    f"{', '.join(absent)}; use a mirror that has them, lower minimum_members, or "
                    "take the system of kind products"
                )
