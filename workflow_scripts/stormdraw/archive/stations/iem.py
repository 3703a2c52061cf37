"""Reports of airports from Iowa State University's archive (IEM), a file a network and day.

The service (https://mesonet.agron.iastate.edu/cgi-bin/request/asos.py?help) answers a second
request within a second with an error, and says so of its own load with 503; so requests are made
one after the other. It does not announce how long an answer is, and has no column for the network.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import requests

from stormdraw.archive.session import PatientSession
from stormdraw.archive.stations.settings import IEM_COLUMNS
from stormdraw.archive.transfer import BrokenTransferError, fetch_text
from stormdraw.errors import StormdrawError
from stormdraw.files import write_text
from stormdraw.times import now_utc

logger = logging.getLogger(__name__)

SERVICE = "https://mesonet.agron.iastate.edu/cgi-bin/request/asos.py"

_IDENTITY = ("station", "valid", "lon", "lat", "elevation")
_DATA = tuple(dict.fromkeys(c.name for c in IEM_COLUMNS.values() if c.name not in _IDENTITY))
HEADER = ",".join((*_IDENTITY, *_DATA))
TIME_FORMAT = "%Y-%m-%d %H:%M"

# Routine and special reports. Temperature is in whole degrees Celsius in those of five minutes.
_REPORT_TYPES = ("3", "4")

# Refusals that no other request would mend.
_CLOSED = (requests.codes.unauthorized, requests.codes.forbidden, requests.codes.proxy_auth)

_ATTEMPTS = 3
_SECONDS_BETWEEN_REQUESTS = 1.5


@dataclass(frozen=True)
class Asked:
    """Reports of a network from `first` to `last`, both included.

    It must be more than 24 hours: of a network that it does not know, the service answers a shorter
    request with the reports of all stations of the world.
    """

    network: str
    first: datetime
    last: datetime

    def address(self, service: str) -> str:
        """The address of the reports."""
        zulu = "%Y-%m-%dT%H:%M:%SZ"
        query = [
            ("network", self.network),
            *(("data", name) for name in _DATA),
            *(("report_type", name) for name in _REPORT_TYPES),
            ("sts", self.first.strftime(zulu)),
            # Up to but not including that minute.
            ("ets", (self.last + timedelta(minutes=1)).strftime(zulu)),
            ("tz", "Etc/UTC"),
            ("format", "onlycomma"),
            ("latlon", "yes"),
            ("elev", "yes"),
            ("missing", "M"),
            ("trace", "T"),
        ]
        return f"{service}?{urlencode(query)}"


def path_of(folder: Path, date: str, network: str) -> Path:
    """The file of a network's reports for a day (YYYYMMDD)."""
    return folder / date / f"{network}.csv"


def fetch(folder: Path, date: str, asked: list[Asked], service: str = SERVICE) -> list[Path]:
    """The files of some networks for a day, fetched unless an earlier run has fetched them.

    A file that was fetched before its last hour was over is fetched again. Raises StormdrawError if
    the service does not answer, or answers with something else than these reports.
    """
    session = PatientSession()
    paths = []
    for one in asked:
        path = path_of(folder, date, one.network)
        address = one.address(service)
        if not _is_there(path, address, one.last):
            with _one_at_a_time(folder):
                fetched = now_utc()
                text = _fetch(session, address, one)
            write_text(path, f"{_remark(address)}\n#FETCHED {fetched.isoformat()}\n{text}")
        paths.append(path)
    return paths


def _remark(address: str) -> str:
    return f"#ADDRESS {address}"


def _is_there(path: Path, address: str, last: datetime) -> bool:
    """Whether a file has the answer to a request that was made after its last time."""
    try:
        with open(path, encoding="utf-8") as stream:
            remark, fetched = next(stream).rstrip("\n"), next(stream).split()
        return remark == _remark(address) and datetime.fromisoformat(fetched[1]) > last
    except (OSError, StopIteration, ValueError, IndexError):
        return False


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other job of this machine asks, and a while after it has."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems have no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        time.sleep(_SECONDS_BETWEEN_REQUESTS)
    finally:
        os.close(descriptor)


def _fetch(session: requests.Session, address: str, asked: Asked) -> str:
    """The verified answer to a request."""
    before = None
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            text = fetch_text(session, address)
            _require_reports(text, asked, address)
        except BrokenTransferError as error:
            broken: Exception = error
        except requests.RequestException as error:
            raise StormdrawError(_refusal(error, asked, address)) from None
        else:
            if text == before or _reaches_the_end(text, asked):
                return text
            before, broken = text, BrokenTransferError("reports end early")
        logger.warning("%s, attempt %d: %s", asked.network, attempt, broken)
        time.sleep(_SECONDS_BETWEEN_REQUESTS * attempt)
    raise StormdrawError(
        f"{asked.network}: IEM sends incomplete answers ({broken}; {address}); run again later: "
        "what is already fetched is kept"
    )


def _require_reports(text: str, asked: Asked, address: str) -> None:
    """Raise StormdrawError for something else, and BrokenTransferError for a part of reports."""
    if text.lstrip().startswith("<"):
        raise StormdrawError(
            f"{address}: the server sends a web page instead of reports; check the network"
        )
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    if lines[0] != HEADER:
        raise StormdrawError(
            f"{address}: answers {lines[0][:100]!r} instead of the columns {HEADER}; run again "
            "later: what is already fetched is kept"
        )
    if lines[-1] or any(line.count(",") != HEADER.count(",") for line in lines[1:-1]):
        raise BrokenTransferError("the answer ends within a line")
    first, last = asked.first.strftime(TIME_FORMAT), asked.last.strftime(TIME_FORMAT)
    for line in lines[1:-1]:
        if not first <= line.split(",")[1] <= last:
            raise StormdrawError(
                f"{address}: sends a report of {line.split(',')[1]!r}, which is not between "
                f"{first} and {last} UTC as asked; run again later"
            )


def _reaches_the_end(text: str, asked: Asked) -> bool:
    """Whether there is a report of the last two hours; reports come in order of time.

    An answer that ends early may have been cut off between two lines. One that is the same when it
    is asked for again is believed.
    """
    last = text.rstrip("\n").rpartition("\n")[2]
    return last != HEADER and last.split(",")[1] >= (asked.last - timedelta(hours=2)).strftime(
        TIME_FORMAT
    )


def _refusal(error: requests.RequestException, asked: Asked, address: str) -> str:
    answer = error.response if isinstance(error, requests.HTTPError) else None
    if answer is not None and answer.status_code in _CLOSED:
        return (
            f"{asked.network}: IEM, or a proxy before it, does not let this machine in (HTTP "
            f"{answer.status_code}, {address}); run again later or from another network: what is "
            "already fetched is kept"
        )
    if answer is not None and answer.status_code < requests.codes.server_error:
        return (
            f"{asked.network}: IEM refuses the request (HTTP {answer.status_code}, {address}); it "
            "does so if it has no such network: correct archive.stations.networks"
        )
    said = " ".join(str(error).split())
    return (
        f"{asked.network}: IEM did not answer as it should, {said} ({address}); check the network "
        "and run again later: what is already fetched is kept"
    )
