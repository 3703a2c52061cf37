"""The messages that an inventory points at, each checked against the inventory."""

from collections.abc import Iterable
from dataclasses import dataclass

from stormdraw.archive.faults import Fault, FaultyFileError
from stormdraw.archive.transfer import RemoteFile
from stormdraw.messages import (
    EDITION,
    END,
    INDICATOR_LENGTH,
    SHORTEST,
    START,
    cut_off,
    edition_and_length,
    other_edition,
)


@dataclass(frozen=True)
class Piece:
    """A message by its inventory: its first byte, and its length, None for the last of a file."""

    offset: int
    length: int | None


Span = tuple[Piece, ...]


def spans(offsets: Iterable[int], wanted: Iterable[int]) -> list[Span]:
    """The wanted messages, with neighbours merged so that each span is one request.

    `offsets` are those of all lines of an inventory. Fields that share a message share its offset.
    """
    known = sorted(set(offsets))
    ends = dict(zip(known, [*known[1:], None], strict=True))
    found: list[list[Piece]] = []
    end: int | None = None
    for offset in sorted(set(wanted)):
        following = ends[offset]
        piece = Piece(offset, None if following is None else following - offset)
        if offset == end:
            found[-1].append(piece)
        else:
            found.append([piece])
        end = following
    return [tuple(span) for span in found]


def read_span(file: RemoteFile, span: Span, origin: str) -> list[bytes]:
    """The messages of a span, without stray bytes after them; errors name the file `origin`.

    Raises FaultyFileError if the bytes disagree with the inventory, RequestException if they do not
    arrive.
    """
    last = span[-1]
    end = None if last.length is None else last.offset + last.length
    messages = []
    with file.read(span[0].offset, end) as stream:
        for piece in span:
            indicator = stream.take(INDICATOR_LENGTH)
            length = _message_length(indicator, piece, origin)
            message = indicator + stream.take(length - INDICATOR_LENGTH)
            if not message.endswith(END):
                raise FaultyFileError(origin, Fault(cut_off(piece.offset, length)))
            if piece.length is not None and START in stream.take(piece.length - length):
                raise _foreign(origin, f"has more than one message at byte {piece.offset}")
            messages.append(message)
    return messages


def _message_length(indicator: bytes, piece: Piece, origin: str) -> int:
    """The length in a message's first bytes, which must agree with the inventory."""
    if not indicator.startswith(START):
        raise _foreign(origin, f"has no message at byte {piece.offset}")
    edition, length = edition_and_length(indicator)
    if edition != EDITION:
        raise FaultyFileError(origin, Fault(other_edition(piece.offset, edition)))
    if length < SHORTEST or (piece.length is not None and length > piece.length):
        raise _foreign(
            origin, f"has {length} bytes in the message at byte {piece.offset}, not {piece.length}"
        )
    return length


def _foreign(origin: str, finding: str) -> FaultyFileError:
    return FaultyFileError(
        origin,
        Fault(
            f"{finding} as its inventory says; the inventory is stale or of another file",
            "fetch it again, or give the mirror as a folder",
        ),
    )
