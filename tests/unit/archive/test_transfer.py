"""Bytes off a connection: when they come to an end, when they are too many, and when too slow."""

from dataclasses import dataclass, field

import pytest
import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from stormdraw.archive import transfer
from stormdraw.archive.transfer import (
    Answer,
    BrokenTransferError,
    CutOffError,
    RemoteFile,
    fetch_text,
)

ADDRESS = "https://bucket.example/a.grib2"


@dataclass
class Connection:
    """Gives its parts one after the other, at most as much as is asked for, then nothing."""

    parts: list

    def read1(self, size):
        if not self.parts:
            return b""
        part = self.parts.pop(0)
        if isinstance(part, Exception):
            raise part
        if part[size:]:
            self.parts.insert(0, part[size:])
        return part[:size]

    def close(self):
        pass


def answer(*parts, announced=None, status=206):
    made = requests.Response()
    made.status_code, made.raw = status, Connection(list(parts))
    if announced is not None:
        made.headers["Content-Length"] = str(announced)
    return made


@dataclass
class Session:
    """Gives one answer to every request, whose headers it keeps."""

    answer: requests.Response
    headers: dict = field(default_factory=dict)

    def get(self, address, headers, stream):
        assert stream
        self.headers = headers
        return self.answer


def test_bytes_are_taken_one_after_the_other_however_they_come():
    stream = Answer(answer(b"ab", b"c", b"defg"))
    assert [stream.take(size) for size in (1, 4, 0, 2)] == [b"a", b"bcde", b"", b"fg"]


def test_more_than_a_buffer_is_taken_whole():
    content = bytes(range(256)) * 1000
    assert Answer(answer(content)).take(len(content)) == content


def test_a_server_that_announces_nothing_and_stops_has_broken_off():
    """Nothing tells whether that was all of the file."""
    with pytest.raises(BrokenTransferError, match="ended 2 bytes short"):
        Answer(answer(b"abc")).take(5)


def test_a_server_that_stops_before_what_it_announced_has_broken_off():
    with pytest.raises(BrokenTransferError, match="ended 2 bytes short"):
        Answer(answer(b"abc", announced=5)).take(5)


def test_a_file_is_cut_off_where_all_that_was_announced_has_come():
    with pytest.raises(CutOffError, match="ends 2 bytes before its inventory says"):
        Answer(answer(b"abc", announced=3)).take(5)


def test_an_inventory_may_be_as_large_as_allowed_and_no_larger():
    assert Answer(answer(b"abc", b"de")).rest(5) == b"abcde"
    with pytest.raises(BrokenTransferError, match="more than 4 bytes came"):
        Answer(answer(b"abc", b"de")).rest(4)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ReadTimeoutError(None, "", "slow"), "^Read timed out$"),
        (ProtocolError("Connection broken"), "the transfer broke off: Connection broken"),
        (ConnectionResetError("reset by peer"), "the transfer broke off: reset by peer"),
    ],
)
def test_errors_of_a_connection_break_a_transfer(error, told):
    stream = Answer(answer(b"abc", error))
    with pytest.raises(BrokenTransferError, match=told):
        stream.take(5)


@pytest.mark.parametrize(
    ("come", "seconds", "in_time"),
    [(1, 59, True), (1, 61, False), (100_000, 64, True), (100_000, 66, False)],
)
def test_a_transfer_has_a_minute_and_a_second_for_each_20_kilobytes(
    monkeypatch, come, seconds, in_time
):
    clock = [1000.0]
    monkeypatch.setattr(transfer.time, "monotonic", lambda: clock[0])
    stream = Answer(answer(bytes(come), b"abc"))
    stream.take(come)
    clock[0] += seconds
    if in_time:
        assert stream.take(3) == b"abc"
        return
    with pytest.raises(BrokenTransferError, match=f"only {come} bytes came in {seconds} s"):
        stream.take(3)


@pytest.mark.parametrize(("end", "told"), [(30, "bytes=10-29"), (None, "bytes=10-")])
def test_a_range_is_asked_for_by_its_last_byte(end, told):
    session = Session(answer(b"abc"))
    with RemoteFile(session, ADDRESS).read(10, end) as stream:
        assert stream.take(3) == b"abc"
    # Compressed bytes would be others than those that the range counts.
    assert session.headers == {"Range": told, "Accept-Encoding": "identity"}


@pytest.mark.parametrize("length", ["0", None])
def test_a_whole_answer_is_an_empty_file_only_if_it_says_so(length):
    with (
        pytest.raises(CutOffError if length else transfer.RangeIgnoredError),
        RemoteFile(Session(answer(announced=length, status=200)), ADDRESS).read(10, 30),
    ):
        pass


def test_an_inventory_without_a_length_is_taken_as_it_comes():
    """Also with bytes that are no text; a length that is no number says nothing."""
    for announced in (None, "chunked"):
        session = Session(answer(b"1:0:", b"\xff\n", announced=announced, status=200))
        assert fetch_text(session, ADDRESS) == "1:0:\ufffd\n"
