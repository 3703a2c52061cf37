"""The wanted messages of one file, from the first source that has them without fault."""

import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import requests
from urllib3.exceptions import MaxRetryError

from stormdraw.archive.inventory import inventory_lines
from stormdraw.archive.ranges import read_span, spans
from stormdraw.archive.sources import Cloud, Place, ask_herbie, candidates
from stormdraw.archive.transfer import (
    BeyondTheEndError,
    LocalFile,
    RangeIgnoredError,
    RemoteFile,
    fetch_inventory,
)
from stormdraw.archive.verify import VerifiedMessage, contradiction, verify
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError
from stormdraw.messages import Statistic
from stormdraw.variables import variable

logger = logging.getLogger(__name__)

_DECODING = threading.Lock()

_ATTEMPTS = 3
_SECONDS_BEFORE_RETRY = 1.0

# How the inventory lines of ensemble products end, as regular expressions.
_ENDINGS: dict[Statistic | None, str] = {
    None: "",
    "mean": "(?:wt )?ens mean",
    "spread": "ens spread",
}


class UnreachableError(StormdrawError):
    """A source that does not answer at all."""


class AbsentFileError(StormdrawError):
    """A file that none of the places has. `looked_at` is the first one's address, or empty."""

    def __init__(self, message: str, looked_at: str) -> None:
        super().__init__(message)
        self.looked_at = looked_at


@dataclass(frozen=True)
class Download:
    """Verified messages, and where they came from."""

    messages: tuple[VerifiedMessage, ...]
    origin: str


class Reachable:
    """Which sources answer. One that did not is asked last, until the end of the job."""

    def __init__(self) -> None:
        self._silent: set[str] = set()

    def in_order(self, places: Mapping[str, str]) -> list[tuple[str, str]]:
        """The places as given, but for those that did not answer before."""
        # Sorting is stable.
        return sorted(places.items(), key=lambda place: place[0] in self._silent)

    def note_silence(self, name: str) -> None:
        """Remember a source that cannot be reached."""
        self._silent.add(name)


def download(
    herbie: ModuleType,
    request: FileRequest,
    place: Place,
    work: Path,
    reachable: Reachable | None = None,
    accept: Callable[[Sequence[VerifiedMessage], str], None] | None = None,
) -> Download:
    """Fetch and verify the wanted messages of a file; `work` is an empty folder.

    Every source of the place is tried until one gives a file without fault. A transfer that breaks
    off is tried again. `accept` may refuse verified messages of an origin by a StormdrawError.

    Raises AbsentFileError if no source has the file, else what was wrong at the first that has.
    """
    reachable = reachable or Reachable()
    places = candidates(herbie, request, place)
    if not places:
        names = ", ".join(place.names) if isinstance(place, Cloud) else "the mirror"
        raise AbsentFileError(
            f"{request}: {names} has no files of {request.model}; add another source to "
            "archive.source, or a mirror that has them",
            looked_at="",
        )
    failures: list[StormdrawError] = []
    for name, address in reachable.in_order(places):
        try:
            found = _download_from(herbie, request, {name: address}, work / name)
            if accept is not None:
                accept(found.messages, found.origin)
        except AbsentFileError:
            continue
        except StormdrawError as error:
            failures.append(error)
            if isinstance(error, UnreachableError):
                reachable.note_silence(name)
            continue
        for failure in failures:
            logger.warning("%s; taken from %s in its place", failure, found.origin)
        return found
    if failures:
        others = f" ({len(failures) - 1} more sources failed)" if len(failures) > 1 else ""
        raise StormdrawError(f"{failures[0]}{others}")
    looked_at = list(places.values())
    raise AbsentFileError(
        f"{request}: not in the archive; looked at {' and '.join(looked_at)}", looked_at[0]
    )


def _download_from(
    herbie: ModuleType, request: FileRequest, source: Mapping[str, str], work: Path
) -> Download:
    """A file from one source. Raises StormdrawError if it cannot be had from there."""
    (origin,) = source.values()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _download_once(herbie, request, source, work / str(attempt))
        except (requests.RequestException, RuntimeError, ValueError, KeyError) as error:
            failure = _network_failure(request, origin, error)
        if attempt == _ATTEMPTS or _is_final(failure):
            break
        time.sleep(_SECONDS_BEFORE_RETRY * 2 ** (attempt - 1))
    raise _failed(request, origin, failure)


def _network_failure(
    request: FileRequest, origin: str, error: Exception
) -> requests.RequestException:
    """The network's error behind one of Herbie's; raises what has another cause."""
    # Herbie wraps what goes wrong while it reads or writes.
    cause = error if isinstance(error, requests.RequestException) else error.__cause__
    if isinstance(cause, requests.RequestException):
        return cause
    if isinstance(cause, OSError):
        raise cause from None
    raise StormdrawError(
        f"{request}: Herbie cannot use {origin}: {type(error).__name__}, {_one_line(error)}"
    ) from None


def _is_final(error: requests.RequestException) -> bool:
    """Whether another try is pointless: the session has made them, or the answer is definite."""
    definite = requests.exceptions.RetryError | requests.HTTPError | RangeIgnoredError
    return isinstance(error, definite | BeyondTheEndError) or _gave_up(error)


def _gave_up(error: requests.RequestException) -> bool:
    return any(isinstance(part, MaxRetryError) for part in error.args)


def _download_once(
    herbie: ModuleType, request: FileRequest, source: Mapping[str, str], work: Path
) -> Download:
    (origin,) = source.values()
    asked = ask_herbie(herbie, request, source, work)
    if asked.grib is None:
        raise AbsentFileError(f"{request}: not at {origin}", origin)
    session = herbie.core.requests
    asked.idx = _inventory_file(asked, origin, session, work)
    # So Herbie reads it from disk.
    asked.idx_source = "local"
    inventory = asked.index_as_dataframe
    _require_lines(inventory, request, origin)
    wanted = asked.inventory(search_pattern(request))
    local = isinstance(asked.grib, Path)
    file = LocalFile(asked.grib) if local else RemoteFile(session, asked.grib)
    messages = [
        message
        for span in spans(inventory["start_byte"], wanted["start_byte"])
        for message in read_span(file, span, origin)
    ]
    # Only the waiting is done by several threads at once, not ecCodes' work.
    with _DECODING:
        return Download(tuple(verify(messages, request, origin)), origin)


def _inventory_file(asked: Any, origin: str, session: requests.Session, work: Path) -> Path:
    """The inventory on disk, where Herbie finds it: fetched, or made for a file of a folder."""
    if isinstance(asked.idx, Path):
        return asked.idx
    if asked.idx is not None:
        lines = asked.inventory_text
        if lines is None:
            lines = fetch_inventory(session, asked.idx)
    elif isinstance(asked.grib, Path):
        lines = "".join(line + "\n" for line in inventory_lines(asked.grib))
    else:
        raise StormdrawError(
            f"{origin}: has no inventory ({origin}.idx), so single messages cannot be fetched; add "
            "one to the mirror, or give the mirror as a folder"
        )
    path = work / "inventory.idx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines, encoding="utf-8")
    return path


def search_pattern(request: FileRequest) -> str:
    """A regular expression for Herbie's `search`: any of the wanted variables."""
    return "|".join(line_pattern(name, request) for name in request.variables)


def line_pattern(name: str, request: FileRequest) -> str:
    """A regular expression for one variable's line, to its end.

    Herbie joins a line's columns with colons and adds one at the end; columns that only other lines
    have may come out as `nan`. A plain forecast must end there, or with the number of a member
    (`ENS=+1`): `ens spread` or `process=193` is something else. Products of REFS do come from
    process 193 where they need a neighbourhood.
    """
    ending = _ENDINGS[request.statistic]
    rest = f"{ending}:(?:process=\\d+:)?" if ending else r"(?:ENS=[^:]+:)?"
    pattern = variable(name).inventory_pattern(request.lead)
    return f"(?:{pattern}{rest}(?:nan:)*$)"


def _require_lines(inventory: pd.DataFrame, request: FileRequest, origin: str) -> None:
    """Raises StormdrawError if the inventory is of another time, or has no line of a variable."""
    lines = inventory["search_this"].tolist()
    missing = [name for name in request.variables if not _find(line_pattern(name, request), lines)]
    # The same variable at another lead: the file is not what its name says.
    wrong = _find(r":\d+ hour fcst:|:anl:", lines, inventory["reference_time"] != request.init)
    for name in missing:
        wrong += _find(rf":{variable(name).inventory}:(?:\d+ hour fcst|anl):", lines)
    if wrong:
        line = inventory.iloc[wrong[0]]
        init, lead = line["reference_time"].to_pydatetime(), _hours(line["forecast_time"])
        raise contradiction(origin, request, "its inventory", init, lead)
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise StormdrawError(
            f"{origin}: its inventory has no {', '.join(missing)} at {request.lead} h; leave "
            f"{them} out of the configuration, or use an archive that has {them}"
        )


def _find(pattern: str, lines: list[str], among: Iterable[bool] | None = None) -> list[int]:
    """The numbers of the lines that match, of those that are `among` the ones to look at."""
    looked_at = itertools.repeat(True) if among is None else among
    return [
        number
        for number, (line, counts) in enumerate(zip(lines, looked_at, strict=False))
        if counts and re.search(pattern, line)
    ]


def _hours(forecast: str) -> str:
    """`5 hour fcst` as `5 h`."""
    return "0 h" if forecast == "anl" else forecast.replace(" hour fcst", " h")


def _failed(request: FileRequest, origin: str, error: requests.RequestException) -> StormdrawError:
    if isinstance(error, RangeIgnoredError):
        return StormdrawError(
            f"{origin}: the server ignores byte ranges, so single messages cannot be fetched; use "
            "one that honours them, or give the mirror as a folder"
        )
    if isinstance(error, BeyondTheEndError):
        return StormdrawError(
            f"{origin}: {_one_line(error)}, where its inventory has a message; the file is cut "
            "off, or the inventory is stale: fetch them again"
        )
    silent = isinstance(error, requests.ConnectionError | requests.Timeout) or _gave_up(error)
    return (UnreachableError if silent else StormdrawError)(
        f"{request}: the archive did not answer as it should, {_reason(error)} ({origin}); check "
        "the network and archive.source, then run again: what is already fetched is kept"
    )


def _reason(error: requests.RequestException) -> str:
    """The cause at the bottom of a network error, without the objects it passed through."""
    for part in error.args:
        if isinstance(part, MaxRetryError) and part.reason is not None:
            return _one_line(part.reason).rpartition("): ")[2]
    return _one_line(error)


def _one_line(error: Exception) -> str:
    """An error's text without line breaks and Herbie's emoji."""
    return " ".join(re.sub(r"[^\x21-\x7e]+", " ", str(error)).split())
