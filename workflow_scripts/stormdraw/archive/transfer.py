"""Byte ranges of a file over the network: exactly the bytes that were requested.

A server may hang, send slowly, break off, answer with less than it announces or with the whole
file. Each of these raises an exception within bounded time.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

# A transfer may take this many seconds, plus one for each _LEAST_BYTES_PER_SECOND bytes.
SECONDS_TO_SPARE = 60.0
_LEAST_BYTES_PER_SECOND = 20_000

_CHUNK = 1 << 16
_WHOLE_CONTENT = 200
_PARTIAL_CONTENT = 206
_BEYOND_THE_END = 416
_LARGEST_TEXT = 10_000_000


class BrokenTransferError(requests.RequestException):
    """A transfer that ended early or took too long: a retry may help."""


class RangeIgnoredError(requests.RequestException):
    """The server only sends whole files."""


class CutOffError(requests.RequestException):
    """The file is shorter than its inventory says."""


class Answer:
    """The bytes of a server's answer, read in order."""

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer
        self._announced = _whole_number(answer.headers.get("Content-Length"))
        self._begun = time.monotonic()
        self._read = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises BrokenTransferError if they do not arrive, or not in time, and CutOffError if the
        server has sent all bytes that it announced.
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
        """All remaining bytes, which must not be more than `most`."""
        parts, total = [], 0
        for part in self.parts():
            parts.append(part)
            total += len(part)
            if total > most:
                raise BrokenTransferError(f"more than {most} bytes came")
        return b"".join(parts)

    def parts(self) -> Iterator[bytes]:
        """All remaining bytes, as they come."""
        while part := self._some(_CHUNK):
            yield part

    def _some(self, most: int) -> bytes:
        # A connection's timeout applies to the next byte: at one byte a second it never expires.
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
        """The bytes from `start` up to but excluding `end`, or to the end of the file.

        Raises RequestException if the server does not send them.
        """
        last = "" if end is None else str(end - 1)
        headers = {"Range": f"bytes={start}-{last}", "Accept-Encoding": "identity"}
        with self.session.get(self.address, headers=headers, stream=True) as answer:
            _require_range(answer, start)
            yield Answer(answer)


def _require_range(answer: requests.Response, start: int) -> None:
    """Raise RequestException if the answer is not the requested range."""
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


def fetch_text(session: requests.Session, address: str) -> str:
    """A small text file, in whatever encoding.

    Raises RequestException if it cannot be fetched completely.
    """
    headers = {"Accept-Encoding": "identity"}
    with session.get(address, headers=headers, stream=True) as answer:
        answer.raise_for_status()
        content = Answer(answer).rest(_LARGEST_TEXT)
        announced = _whole_number(answer.headers.get("Content-Length"))
    if announced is not None and announced != len(content):
        raise BrokenTransferError(f"{len(content)} of {announced} bytes of {address} came")
    return content.decode("utf-8", errors="replace")


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
