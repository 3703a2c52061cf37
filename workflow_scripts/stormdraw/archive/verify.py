"""Whether the messages of a fetched file are whole and are those that were asked for."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stormdraw.archive.sections import grid_digest, split_fields
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError
from stormdraw.messages import Header, opened, read_header, read_messages

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VerifiedMessage:
    """A wanted variable and the bytes of its message, which holds nothing else."""

    variable: str
    content: bytes


def verify_file(path: str | Path, request: FileRequest) -> list[VerifiedMessage]:
    """As `verify`, of a file that holds nothing else."""
    return verify(read_messages(path), request, str(path))


def verify(messages: Iterable[bytes], request: FileRequest, origin: str) -> list[VerifiedMessage]:
    """The wanted fields of some messages, in the order of `request.variables`.

    `origin` is what the file is called in an error. Raises StormdrawError if a message is damaged,
    if one says another time or statistic than was asked for, if one is missing, or if they are not
    on one grid.
    """
    found: dict[str, VerifiedMessage] = {}
    for content, header in _fields(messages, origin):
        if header.variable is None or not header.instantaneous:
            continue
        name = header.variable.name
        if name not in request.variables:
            continue
        _require_time(header, request, name, origin)
        _require_statistic(header, request, name, origin)
        if name in found:
            # REFS spread files hold the terrain twice, once from another process: same values.
            logger.warning("%s: holds %s twice; the first is taken", origin, name)
            continue
        found[name] = VerifiedMessage(name, content)
    missing = [name for name in request.variables if name not in found]
    if missing:
        raise StormdrawError(
            f"{origin}: the byte ranges of its inventory do not hold {', '.join(missing)}; the "
            "inventory does not belong to the file: fetch it again, or delete the mirror's .idx"
        )
    _require_one_grid(found, origin)
    return [found[name] for name in request.variables]


def _fields(messages: Iterable[bytes], origin: str) -> Iterator[tuple[bytes, Header]]:
    try:
        for message in messages:
            for field in split_fields(message):
                with opened(field) as handle:
                    yield field, read_header(handle)
    except StormdrawError as error:
        raise StormdrawError(f"{origin}: {str(error).removeprefix(f'{origin}: ')}") from None


def _require_one_grid(found: Mapping[str, VerifiedMessage], origin: str) -> None:
    grids = {name: grid_digest(message.content) for name, message in found.items()}
    first = next(iter(grids))
    for name, grid in grids.items():
        if grid != grids[first]:
            raise StormdrawError(
                f"{origin}: {name} is on another grid than {first}; replace the file"
            )


def _require_time(header: Header, request: FileRequest, name: str, origin: str) -> None:
    if (header.init, header.lead) != (request.init, request.lead):
        lead = "a part of an hour" if header.lead is None else f"{header.lead} h"
        raise contradiction(origin, request, f"{name}'s header", header.init, lead)


def contradiction(
    origin: str, request: FileRequest, witness: str, init: datetime, lead: str
) -> StormdrawError:
    """The error of a file whose messages are of another time than its name."""
    return StormdrawError(
        f"{origin}: its name says {request.init:%Y-%m-%d %H} UTC + {request.lead} h, but {witness} "
        f"says {init:%Y-%m-%d %H} UTC + {lead}; replace the file, or choose periods without it"
    )


def _require_statistic(header: Header, request: FileRequest, name: str, origin: str) -> None:
    if header.statistic != request.statistic:
        raise StormdrawError(
            f"{origin}: {name} is {header.statistic or 'no ensemble statistic'}, expected "
            f"{request.statistic or 'a plain forecast'}; replace the file"
        )
