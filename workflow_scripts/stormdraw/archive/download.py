"""The wanted messages of one file, from the first source that has all of them."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from stormdraw.archive.faults import (
    NOT_THERE,
    AbsentFileError,
    Fault,
    FaultyFileError,
    Found,
    UnreachableError,
    together,
)
from stormdraw.archive.folder import read_folder_file
from stormdraw.archive.remote import read_remote_file
from stormdraw.archive.request import FileRequest
from stormdraw.archive.sources import Cloud, Folder, Place, candidates, inventories_of
from stormdraw.archive.verify import VerifiedMessage, verify
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid

logger = logging.getLogger(__name__)

DECODING = threading.Lock()


@dataclass(frozen=True)
class Download:
    """Verified messages, all on `grid`, and their origin.

    `lacking` has the fault of each wanted variable that is not usable in the file.
    """

    messages: tuple[VerifiedMessage, ...]
    grid: Grid
    origin: str
    lacking: Mapping[str, Fault]


class Reachable:
    """Which sources respond. A source that did not is asked last until the end of the job."""

    def __init__(self) -> None:
        self._silent: set[str] = set()

    def in_order(self, places: Mapping[str, str]) -> list[tuple[str, str]]:
        """The places in order, with those that did not respond at the end."""
        # Sorting is stable.
        return sorted(places.items(), key=lambda place: place[0] in self._silent)

    def note_silence(self, name: str) -> None:
        """Remember a source that cannot be reached."""
        self._silent.add(name)


def download(
    session: requests.Session,
    request: FileRequest,
    place: Place,
    reachable: Reachable | None = None,
    grid: Grid | None = None,
) -> Download:
    """Fetch and verify the wanted messages of a file.

    Sources are tried in order until one gives all messages without fault. If none does, the file
    with the most usable variables is taken. The messages must be on `grid`, if given.

    Raises AbsentFileError if no source has anything usable. Other errors on the way to a source are
    raised as they are, since the file may exist.
    """
    reachable = reachable or Reachable()
    places = candidates(request, place)
    if not places:
        names = ", ".join(place.names) if isinstance(place, Cloud) else "the mirror"
        finding = f"{names} has no files of {request.model}"
        raise AbsentFileError(
            f"{request}: {finding}; add another source to archive.source, or use a mirror that "
            "has them",
            looked_at="",
            reason=finding,
        )
    partial: list[Download] = []
    faulty: list[FaultyFileError] = []
    trouble: list[StormdrawError] = []
    for name, address in reachable.in_order(places):
        try:
            found = _from_address(session, request, place, address)
            _require_grid(found, grid)
        except FaultyFileError as error:
            faulty.append(error)
        except StormdrawError as error:
            trouble.append(error)
            if isinstance(error, UnreachableError):
                reachable.note_silence(name)
        else:
            if not found.lacking:
                _tell([*trouble, *faulty, *map(incomplete, partial)], found.origin)
                return found
            partial.append(found)
    if trouble:
        damaged = [error for error in faulty if error.fault != NOT_THERE]
        others = len(trouble) + len(damaged) + len(partial) - 1
        told = f" ({others} more sources failed)" if others else ""
        raise StormdrawError(f"{trouble[0]}{told}")
    if partial:
        return min(partial, key=lambda found: len(found.lacking))
    raise _absent(request, places, faulty)


def incomplete(found: Download) -> AbsentFileError:
    """The error of a file that has only some of the wanted variables."""
    fault = together(found.lacking.values())
    return AbsentFileError(
        f"{found.origin}: {fault.finding}; {fault.advice}", found.origin, fault.finding
    )


def _from_address(
    session: requests.Session,
    request: FileRequest,
    place: Place,
    address: str,
) -> Download:
    """The usable messages of a file at one place. Raises FaultyFileError if there are none."""
    if isinstance(place, Folder):
        found = read_folder_file(Path(address), request.variables)
        nowhere = "has no"
    else:
        inventories = inventories_of(request, address)
        found = read_remote_file(session, request, address, inventories)
        nowhere = "the byte ranges of its inventory hold no"
    # Threads only wait in parallel; ecCodes decodes in one thread at a time.
    with DECODING:
        verified = verify(found.messages, request)
    lacking = _explained(verified.lacking, found, nowhere, request)
    if verified.grid is None:
        raise FaultyFileError(address, together(lacking.values()))
    return Download(verified.messages, verified.grid, address, lacking)


def _explained(
    lacking: Mapping[str, Fault | None], found: Found, nowhere: str, request: FileRequest
) -> dict[str, Fault]:
    """The fault of each unusable variable, or else of its file."""
    unseen = [name for name, fault in lacking.items() if not fault and name not in found.lacking]
    them = "it" if len(unseen) == 1 else "them"
    missing = Fault(
        f"{nowhere} {', '.join(unseen)} at {request.lead} h",
        f"leave {them} out of the configuration, or use an archive that has {them}",
    )
    otherwise = found.damage[0] if found.damage else missing
    return {name: found.lacking.get(name, fault or otherwise) for name, fault in lacking.items()}


def _require_grid(found: Download, grid: Grid | None) -> None:
    if grid is not None and not found.grid.matches(grid):
        raise FaultyFileError(
            found.origin,
            Fault(
                "its grid is not that of the day's other files",
                "replace it, or choose periods in which the grid does not change",
            ),
        )


def _absent(
    request: FileRequest, places: Mapping[str, str], faulty: list[FaultyFileError]
) -> AbsentFileError:
    """The error of a file that no source has without fault."""
    looked_at = next(iter(places.values()))
    damaged = [error for error in faulty if error.fault != NOT_THERE]
    if not damaged:
        return AbsentFileError(
            f"{request}: not in the archive; looked at {' and '.join(places.values())}",
            looked_at,
            "not in the archive",
        )
    others = f" ({len(damaged) - 1} more sources failed)" if len(damaged) > 1 else ""
    return AbsentFileError(
        f"{damaged[0]}{others}", damaged[0].origin, together(e.fault for e in damaged).finding
    )


def _tell(failures: list[StormdrawError], origin: str) -> None:
    for failure in failures:
        if not (isinstance(failure, FaultyFileError) and failure.fault == NOT_THERE):
            logger.warning("%s; taken from %s instead", failure, origin)
