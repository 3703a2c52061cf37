"""Files behind an address: found, looked up in their inventory and read by byte ranges."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import requests
from urllib3.exceptions import MaxRetryError

from stormdraw.archive.faults import NOT_THERE, Fault, FaultyFileError, Found, UnreachableError
from stormdraw.archive.inventory import Line, choose, read_inventory
from stormdraw.archive.ranges import Span, read_span, spans
from stormdraw.archive.request import FileRequest
from stormdraw.archive.transfer import (
    CutOffError,
    RangeIgnoredError,
    RemoteFile,
    fetch_text,
)
from stormdraw.errors import StormdrawError

Result = TypeVar("Result")

_ATTEMPTS = 3
_SECONDS_BEFORE_RETRY = 1.0

_NOT_THERE = (404, 410)
_REFUSED = 403
_HEAD_NOT_ALLOWED = (405, 501)

# A bucket that does not list its files to everyone answers 403 for a file that does not exist. This
# server answers 403 to clients that ask too fast.
_RATE_LIMITED = "nomads.ncep.noaa.gov"

# Azure gives its files to signed addresses only.
_SIGNED = "blob.core.windows.net"
_SIGN = "https://planetarycomputer.microsoft.com/api/sas/v1/sign?href="


def read_remote_file(
    session: requests.Session,
    request: FileRequest,
    address: str,
    inventories: Sequence[str],
) -> Found:
    """The wanted messages of a file; `inventories` are the possible addresses of its `.idx`.

    Raises FaultyFileError if the file or its inventory is missing or unusable, UnreachableError if
    the server does not respond, and StormdrawError if it fails in another way.
    """
    try:
        signed = _patiently(lambda: _signed(session, address))
        _patiently(lambda: _require_there(session, signed))
        lines = _inventory(session, address, inventories)
        choice = choose(lines, request)
        found = Found(lacking=choice.lacking)
        file = RemoteFile(session, signed)
        for span in spans((line.offset for line in lines), choice.offsets):
            _read_span(file, span, address, found)
    except requests.RequestException as error:
        raise _failed(request, address, error) from None
    return found


def is_there(session: requests.Session, request: FileRequest, address: str) -> bool:
    """Whether a server has a file.

    Raises StormdrawError if it does not say so or otherwise.
    """
    try:
        signed = _patiently(lambda: _signed(session, address))
        _patiently(lambda: _require_there(session, signed))
    except requests.RequestException as error:
        if _fault_of(error, address) is None:
            raise _failed(request, address, error) from None
        return False
    return True


def _read_span(file: RemoteFile, span: Span, address: str, found: Found) -> None:
    """Read a span or, if something is wrong with it, each of its messages separately."""
    try:
        found.messages.extend(_patiently(lambda: read_span(file, span, address)))
    except (FaultyFileError, CutOffError) as error:
        if len(span) > 1:
            for piece in span:
                _read_span(file, (piece,), address, found)
            return
        wrong = error.fault if isinstance(error, FaultyFileError) else Fault(_one_line(error))
        found.damage.append(wrong)


def _inventory(session: requests.Session, address: str, inventories: Sequence[str]) -> list[Line]:
    """The lines of the first inventory that exists."""
    for inventory in inventories:
        text = _patiently(lambda: _text_of(session, inventory))  # noqa: B023 - called at once
        if text is None:
            continue
        if text.lstrip().startswith("<"):
            raise StormdrawError(
                f"{inventory}: the server sends a web page instead of an inventory; check the "
                "network and archive.source"
            )
        lines = read_inventory(text)
        if lines:
            return lines
        raise FaultyFileError(address, Fault("its inventory has no valid line"))
    raise FaultyFileError(
        address,
        Fault(
            f"has no inventory ({inventories[0]}), so single messages cannot be fetched",
            "add one to the mirror, or give the mirror as a folder",
        ),
    )


def _text_of(session: requests.Session, inventory: str) -> str | None:
    """The text of an inventory, None if it does not exist."""
    try:
        return fetch_text(session, _signed(session, inventory))
    except requests.HTTPError as error:
        if _fault_of(error, inventory) is None:
            raise
        return None


def _require_there(session: requests.Session, address: str) -> None:
    """Raise HTTPError if the server says that the file does not exist or is refused."""
    answer = session.head(address, allow_redirects=True)
    if answer.status_code not in _HEAD_NOT_ALLOWED:
        answer.raise_for_status()


def _signed(session: requests.Session, address: str) -> str:
    if _SIGNED not in address:
        return address
    answer = session.get(_SIGN + address)
    answer.raise_for_status()
    return str(answer.json()["href"])


def _patiently(action: Callable[[], Result]) -> Result:
    """The result of an action, with retries where they may help."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return action()
        except requests.RequestException as error:
            if _is_final(error):
                raise
        time.sleep(_SECONDS_BEFORE_RETRY * 2 ** (attempt - 1))
    return action()


def _is_final(error: requests.RequestException) -> bool:
    """Whether a retry is pointless: the session has retried already, or the answer is definite."""
    definite = requests.exceptions.RetryError | requests.HTTPError | RangeIgnoredError
    return isinstance(error, definite) or _gave_up(error)


def _gave_up(error: requests.RequestException) -> bool:
    return any(isinstance(part, MaxRetryError) for part in error.args)


def _fault_of(error: requests.RequestException, address: str) -> Fault | None:
    """The fault of a file according to the server's answer, if the answer is definite."""
    response = error.response if isinstance(error, requests.HTTPError) else None
    if response is None:
        return None
    if response.status_code in _NOT_THERE:
        return NOT_THERE
    if response.status_code == _REFUSED and _RATE_LIMITED not in address:
        return Fault("is refused (403)", "add another source to archive.source")
    return None


def _failed(request: FileRequest, address: str, error: requests.RequestException) -> StormdrawError:
    fault = _fault_of(error, address)
    if fault is not None:
        return FaultyFileError(address, fault)
    if isinstance(error, RangeIgnoredError):
        return StormdrawError(
            f"{address}: the server ignores byte ranges, so single messages cannot be fetched; use "
            "a server that supports them, or give the mirror as a folder"
        )
    silent = isinstance(error, requests.ConnectionError | requests.Timeout) or _gave_up(error)
    return (UnreachableError if silent else StormdrawError)(
        f"{request}: the archive did not answer as it should, {_reason(error)} ({address}); check "
        "the network and archive.source, then run again: what is already fetched is kept"
    )


def _reason(error: requests.RequestException) -> str:
    """The root cause of a network error, without the objects it passed through."""
    for part in error.args:
        if isinstance(part, MaxRetryError) and part.reason is not None:
            return _one_line(part.reason).rpartition("): ")[2]
    return _one_line(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
