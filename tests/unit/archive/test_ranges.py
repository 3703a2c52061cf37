"""Which bytes are asked for, and what of them is believed."""

import contextlib
import io
from dataclasses import dataclass

import pytest
from archive_messages import pack_together, variable_message
from archive_mirror import DAY

from stormdraw.archive.faults import FaultyFileError
from stormdraw.archive.ranges import Piece, read_span, spans

T2M = variable_message("T2M", DAY, 0)
U10 = variable_message("U10", DAY, 0)
V10 = variable_message("V10", DAY, 0)


def test_neighbours_are_one_request():
    assert spans([0, 10, 30, 60, 100], [10, 30, 100]) == [
        (Piece(10, 20), Piece(30, 30)),
        (Piece(100, None),),
    ]


def test_the_last_message_has_no_known_end():
    assert spans([0, 10, 30], [10, 30]) == [(Piece(10, 20), Piece(30, None))]


def test_lines_that_share_a_message_are_one():
    """`3.1` and `3.2` of an inventory have the same offset; either asks for the message."""
    lines = [0, 10, 30, 30, 60]
    assert spans(lines, [30]) == spans(lines, [30, 30]) == [(Piece(30, 30),)]


@dataclass(frozen=True)
class Taken:
    stream: io.BytesIO

    def take(self, size):
        return self.stream.read(size)


@dataclass(frozen=True)
class Bytes:
    """A file of these bytes, in place of one behind an address."""

    content: bytes

    @contextlib.contextmanager
    def read(self, start, end):
        yield Taken(io.BytesIO(self.content[start:end]))


def test_stray_bytes_are_dropped():
    source = Bytes(b"?" + T2M + b"\n" + U10 + b"\r\n")
    lines = [0, 1, 1 + len(T2M) + 1]
    found = [read_span(source, span, "x") for span in spans(lines, lines[1:])]
    assert found == [[T2M, U10]]


def test_a_message_of_two_fields_is_one_message():
    pair = pack_together(U10, V10)
    (span,) = spans([0, len(T2M), len(T2M)], [0, len(T2M)])
    assert read_span(Bytes(T2M + pair), span, "x") == [T2M, pair]


@pytest.mark.parametrize(
    ("content", "piece", "complaint"),
    [
        (T2M, Piece(5, 100), "has no message at byte 5"),
        (T2M, Piece(0, len(T2M) - 1), f"has {len(T2M)} bytes in the message at byte 0, not"),
        (T2M + U10, Piece(0, len(T2M + U10)), "has more than one message at byte 0"),
        (T2M[:-1], Piece(0, None), "cut off or damaged"),
        (T2M[:-4] + b"6666", Piece(0, None), "cut off or damaged"),
        (T2M[:7] + b"\x01" + T2M[8:], Piece(0, None), "is GRIB edition 1, expected 2"),
        (T2M[:8] + bytes(8) + T2M[16:], Piece(0, None), "has 0 bytes"),
    ],
)
def test_other_bytes_than_the_inventory_says(content, piece, complaint):
    with pytest.raises(FaultyFileError, match=f"^x: .*{complaint}"):
        read_span(Bytes(content), (piece,), "x")
