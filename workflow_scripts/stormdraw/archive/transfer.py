"""Byte ranges of a file over the network: never other bytes than were asked for.

A server may hang, drip, break off, answer with less than it announces or with the whole file. Each
ends in an exception, in bounded time.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

# A transfer may take this many seconds, and one more for each so many bytes.
SECONDS_TO_SPARE = 60.0
_LEAST_BYTES_PER_SECOND = 20_000

_CHUNK = 1 << 16
_WHOLE_CONTENT = 200
_PARTIAL_CONTENT = 206
_BEYOND_THE_END = 416
_LARGEST_INVENTORY = 10_000_000


class BrokenTransferError(requests.RequestException):
    """A transfer that ended early or took too long: another try may help."""


class RangeIgnoredError(requests.RequestException):
    """The server sends whole files only."""


class CutOffError(requests.RequestException):
    """The file is shorter than its inventory says."""


class Answer:
    """The bytes of a server's answer, taken one after the other."""

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer
        self._announced = _whole_number(answer.headers.get("Content-Length"))
        self._begun = time.monotonic()
        self._read = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises BrokenTransferError if they do not come, or not in time, and CutOffError if the
        server has sent all that it says there is.
        """
        parts, missing = [], size
        while missing:
            part = self._some(min(missing, _CHUNK))
            if not part and self._read == self._announced:
                raise CutOffError(f"ends {missing} bytes before its inventory says")
            if not part:
                raise BrokenTransferError(f"the transfer ended {missing} bytes short")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def rest(self, most: int) -> bytes:
        """All that is left, which must not be more than `most` bytes."""
        parts, total = [], 0
        while part := self._some(_CHUNK):
            parts.append(part)
            total += len(part)
            if total > most:
                raise BrokenTransferError(f"more than {most} bytes came")
        return b"".join(parts)

    def _some(self, most: int) -> bytes:
        # A connection's time-out is for the next byte: at one byte a second it never ends.
        seconds = time.monotonic() - self._begun
        if seconds > SECONDS_TO_SPARE + self._read / _LEAST_BYTES_PER_SECOND:
            raise BrokenTransferError(f"only {self._read} bytes came in {seconds:.0f} s")
        try:
            part = self._answer.raw.read1(most)
        except ReadTimeoutError as error:
            raise BrokenTransferError("Read timed out") from error
        except (HTTPError, OSError) as error:
            raise BrokenTransferError(f"the transfer broke off: {error}") from error
        self._read += len(part)
        return part


@dataclass(frozen=True)
class RemoteFile:
    """A file behind an address."""

    session: requests.Session
    address: str

    @contextlib.contextmanager
    def read(self, start: int, end: int | None) -> Iterator[Answer]:
        """The bytes from `start` up to and without `end`, or to the end of the file.

        Raises RequestException if the server does not send them.
        """
        last = "" if end is None else str(end - 1)
        headers = {"Range": f"bytes={start}-{last}", "Accept-Encoding": "identity"}
        with self.session.get(self.address, headers=headers, stream=True) as answer:
            _require_range(answer, start)
            yield Answer(answer)


def _require_range(answer: requests.Response, start: int) -> None:
    """Raises RequestException if the answer is not the range that was asked for."""
    empty = _whole_number(answer.headers.get("Content-Length")) == 0
    if answer.status_code == _BEYOND_THE_END or (answer.status_code == _WHOLE_CONTENT and empty):
        raise CutOffError(f"ends before byte {start}, where its inventory has a message")
    if answer.status_code == _WHOLE_CONTENT:
        raise RangeIgnoredError("the server ignores byte ranges")
    answer.raise_for_status()
    if answer.status_code != _PARTIAL_CONTENT:
        raise requests.HTTPError(f"answered {answer.status_code} when asked for a byte range")
    told = answer.headers.get("Content-Range", "")
    if told and not told.startswith(f"bytes {start}-"):
        raise BrokenTransferError(f"sent {told} in place of bytes {start} and on")


def fetch_inventory(session: requests.Session, address: str) -> str:
    """A small text file, whatever bytes it has.

    Raises RequestException if it cannot be had whole.
    """
    headers = {"Accept-Encoding": "identity"}
    with session.get(address, headers=headers, stream=True) as answer:
        answer.raise_for_status()
        content = Answer(answer).rest(_LARGEST_INVENTORY)
        announced = _whole_number(answer.headers.get("Content-Length"))
    if announced is not None and announced != len(content):
        raise BrokenTransferError(f"{len(content)} of {announced} bytes of {address} came")
    return content.decode("utf-8", errors="replace")


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
