"""Which answers are definite, and what is asked of which server."""

import pytest
import requests
from archive_inventory import inventory_of
from archive_messages import variable_message
from archive_mirror import DAY
from archive_session import Session

from stormdraw.archive import remote
from stormdraw.archive.faults import NOT_THERE, FaultyFileError, UnreachableError
from stormdraw.archive.remote import read_remote_file
from stormdraw.archive.request import FileRequest
from stormdraw.archive.transfer import RemoteFile
from stormdraw.errors import StormdrawError

T2M = variable_message("T2M", DAY, 0)
CAPE = variable_message("CAPE", DAY, 0)
REQUEST = FileRequest("hrrr", "sfc", (), DAY, 0, "", ("T2M", "CAPE"))
BUCKET = "https://bucket.example/hrrr.t00z.wrfsfcf00.grib2"
NOMADS = "https://nomads.ncep.noaa.gov/pub/hrrr.t00z.wrfsfcf00.grib2"
AZURE = "https://noaahrrr.blob.core.windows.net/hrrr/hrrr.t00z.wrfsfcf00.grib2"


def served(address, content=T2M + CAPE, **options):
    idx = inventory_of(T2M + CAPE).encode()
    return Session({address: content, f"{address}.idx": idx}, **options)


def read(session, address):
    return read_remote_file(session, REQUEST, address, [f"{address}.idx"])


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    monkeypatch.setattr(remote, "_SECONDS_BEFORE_RETRY", 0.0)


def test_messages_by_their_ranges():
    found = read(served(BUCKET), BUCKET)
    assert (found.messages, found.damage, found.lacking) == ([T2M, CAPE], [], {})


@pytest.mark.parametrize(
    ("status", "address", "finding"),
    [
        (404, BUCKET, NOT_THERE.finding),
        (410, BUCKET, NOT_THERE.finding),
        (403, BUCKET, "is refused (403)"),
        (404, NOMADS, NOT_THERE.finding),
        # "Not so fast".
        (403, NOMADS, None),
        (401, BUCKET, None),
        (407, BUCKET, None),
        (418, BUCKET, None),
        (500, BUCKET, None),
    ],
)
def test_which_refusals_are_definite(status, address, finding):
    with pytest.raises(StormdrawError) as caught:
        read(served(address, statuses={("HEAD", address): status}), address)
    assert isinstance(caught.value, FaultyFileError) is bool(finding)
    if finding:
        assert caught.value.fault.finding == finding
    else:
        assert f"{status} " in str(caught.value)


@pytest.mark.parametrize("status", [404, 403])
def test_a_file_that_goes_while_it_is_read(status):
    with pytest.raises(FaultyFileError):
        read(served(BUCKET, statuses={BUCKET: status}), BUCKET)


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_that_does_not_say_whether_it_has_a_file(status):
    assert len(read(served(BUCKET, statuses={("HEAD", BUCKET): status}), BUCKET).messages) == 2


@pytest.mark.parametrize("status", [404, 403])
def test_a_file_without_an_inventory(status):
    session = served(BUCKET, statuses={f"{BUCKET}.idx": status})
    with pytest.raises(FaultyFileError, match="has no inventory"):
        read(session, BUCKET)


def test_the_next_name_of_an_inventory_is_tried():
    session = served(BUCKET)
    found = read_remote_file(session, REQUEST, BUCKET, [f"{BUCKET}.inv", f"{BUCKET}.idx"])
    assert len(found.messages) == 2


def test_what_comes_before_the_end_of_a_file_that_is_cut_off():
    found = read(served(BUCKET, T2M + CAPE[:-9]), BUCKET)
    assert found.messages == [T2M]
    (fault,) = found.damage
    assert fault.finding == "ends 9 bytes before its inventory says"


@pytest.mark.parametrize(
    "told", [f"bytes 9-{len(T2M + CAPE) - 1}/{len(T2M + CAPE)}", f"bytes 1-2/{len(T2M + CAPE)}"]
)
def test_another_range_than_was_asked_for(told):
    """Whatever the bytes are: they are said to be others."""
    with pytest.raises(StormdrawError, match=f"sent {told} in place of bytes 0 and on") as caught:
        read(served(BUCKET, content_ranges={BUCKET: told}), BUCKET)
    assert not isinstance(caught.value, FaultyFileError)


def test_the_right_range_is_taken():
    told = f"bytes 0-{len(T2M + CAPE) - 1}/{len(T2M + CAPE)}"
    assert len(read(served(BUCKET, content_ranges={BUCKET: told}), BUCKET).messages) == 2


def test_an_answer_that_is_no_part():
    with pytest.raises(StormdrawError, match="answered 204 when asked for a byte range"):
        read(served(BUCKET, statuses={BUCKET: 204}), BUCKET)


def test_an_inventory_is_taken_whole_or_not_at_all():
    session = served(BUCKET)
    whole = session._answer

    def short(address, status, content):
        answer = whole(address, status, content)
        if address.endswith(".idx"):
            answer.headers["Content-Length"] = str(len(content) + 1)
        return answer

    session._answer = short
    with pytest.raises(StormdrawError, match=r"bytes of .* came"):
        read(session, BUCKET)
    assert session.asked.count(f"{BUCKET}.idx") == remote._ATTEMPTS


def test_azure_is_asked_for_signed_addresses():
    sign = remote._SIGN
    signed = {address: f"{address}?sas" for address in (AZURE, f"{AZURE}.idx")}
    plain = served(AZURE)
    files = {signed[address]: content for address, content in plain.files.items()}
    answers = {sign + a: f'{{"href": "{s}"}}'.encode() for a, s in signed.items()}
    session = Session(files | answers)
    found = read(session, AZURE)
    assert found.messages == [T2M, CAPE]
    assert AZURE not in session.asked
    # No error shows a signature.
    session.files[signed[AZURE]] = b"nothing" * 100
    assert "sas" not in read(session, AZURE).damage[0].finding


def test_no_connection():
    session = served(BUCKET)

    def refuse(*arguments, **options):
        raise requests.ConnectionError("refused")

    session.head = refuse
    with pytest.raises(UnreachableError, match="refused"):
        read(session, BUCKET)


def test_the_last_message_is_read_to_the_end_of_the_file():
    session = served(BUCKET)
    with RemoteFile(session, BUCKET).read(len(T2M), None) as stream:
        assert stream.take(len(CAPE)) == CAPE
