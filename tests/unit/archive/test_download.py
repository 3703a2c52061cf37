"""Which of several sources a file is taken from, and what is said of the others."""

import pytest
import requests
from archive_inventory import inventory_of
from archive_messages import variable_message
from archive_mirror import DAY
from archive_session import Session

from stormdraw.archive import remote
from stormdraw.archive.download import Reachable, download
from stormdraw.archive.faults import AbsentFileError
from stormdraw.archive.request import FileRequest
from stormdraw.archive.sources import Cloud, candidates
from stormdraw.archive.verify import verify
from stormdraw.errors import StormdrawError

NAMES = ("T2M", "D2M", "CAPE")
CLOUD = Cloud(("aws", "google"))
EAST = (("longitudeOfFirstGridPointInDegrees", 262.6),)


def request(hour=0):
    return FileRequest("hrrr", "sfc", (), DAY.replace(hour=hour), 0, "", NAMES)


def content(names=NAMES, hour=0, **codes):
    init = DAY.replace(hour=hour)
    return b"".join(variable_message(name, init, 0, **codes) for name in names)


class Sources(Session):
    """A session with each source's answers: bytes, a status or an error."""

    def __init__(self, hour=0, **answers):
        super().__init__({})
        self.errors = {}
        for name, address in candidates(request(hour), CLOUD).items():
            given = answers[name]
            if isinstance(given, bytes):
                self.files |= {address: given, f"{address}.idx": inventory_of(given).encode()}
            elif isinstance(given, int):
                self.statuses["HEAD", address] = given
            else:
                self.errors[address] = given
        self.first_asked = []

    def head(self, address, **options):
        self.first_asked.append("aws" if "amazonaws" in address else "google")
        if address in self.errors:
            raise self.errors[address]
        return super().head(address, **options)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    monkeypatch.setattr(remote, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(remote, "_ATTEMPTS", 1)


@pytest.mark.parametrize(
    ("trouble", "next_time"),
    [(requests.ConnectionError("refused"), "google"), (500, "aws"), (404, "aws")],
    ids=["silent", "failing", "without the file"],
)
def test_only_a_source_that_did_not_answer_is_asked_last_from_then_on(trouble, next_time):
    reachable = Reachable()
    first = Sources(aws=trouble, google=content())
    assert "google" in download(first, request(), CLOUD, reachable).origin
    assert first.first_asked == ["aws", "google"]
    second = Sources(hour=1, aws=content(hour=1), google=content(hour=1))
    download(second, request(1), CLOUD, reachable)
    assert second.first_asked == [next_time]


def test_a_source_that_lacks_the_file_is_no_news_and_a_damaged_file_is(caplog):
    download(Sources(aws=404, google=content()), request(), CLOUD)
    assert caplog.text == ""
    download(Sources(aws=content(hour=3), google=content()), request(), CLOUD)
    assert "its inventory says 2026-06-01 03 UTC" in caplog.text
    assert "taken from https://storage.googleapis.com" in caplog.text


def test_the_fullest_file_is_taken_where_none_is_whole():
    session = Sources(aws=content(["T2M"]), google=content(["T2M", "CAPE"]))
    found = download(session, request(), CLOUD)
    assert [message.variable for message in found.messages] == ["T2M", "CAPE"]
    assert list(found.lacking) == ["D2M"]
    # Of equals, the first.
    equals = Sources(aws=content(["T2M"]), google=content(["CAPE"]))
    assert [m.variable for m in download(equals, request(), CLOUD).messages] == ["T2M"]


def test_a_whole_file_is_taken_before_a_part_of_one(caplog):
    found = download(Sources(aws=content(["T2M"]), google=content()), request(), CLOUD)
    assert (len(found.messages), found.lacking) == (3, {})
    assert "no D2M, CAPE at 0 h" in caplog.text


def test_a_file_on_another_grid_is_as_good_as_absent():
    grid = verify([content(["T2M"])], request()).grid
    moved = content(keys=EAST)
    found = download(Sources(aws=moved, google=content()), request(), CLOUD, grid=grid)
    assert "google" in found.origin
    assert found.grid.matches(grid)
    with pytest.raises(AbsentFileError, match="its grid is not that of the day's other") as caught:
        download(Sources(aws=moved, google=404), request(), CLOUD, grid=grid)
    assert "more sources" not in str(caught.value)
    assert "amazonaws" in caught.value.looked_at
    # Where no grid is asked for, any will do.
    assert not download(Sources(aws=moved, google=404), request(), CLOUD).grid.matches(grid)


@pytest.mark.parametrize(
    ("other", "more"),
    [(500, " (1 more sources failed)"), (content(hour=3), " (1 more sources failed)"), (404, "")],
    ids=["failing", "of another time", "without the file"],
)
def test_how_many_sources_failed(other, more):
    with pytest.raises(StormdrawError) as caught:
        download(Sources(aws=500, google=other), request(), CLOUD)
    assert not isinstance(caught.value, AbsentFileError)
    assert str(caught.value).count("more sources failed") == (1 if more else 0)
    assert str(caught.value).endswith(f"what is already fetched is kept{more}")


def test_a_file_that_no_source_has_names_all_places():
    with pytest.raises(AbsentFileError) as caught:
        download(Sources(aws=404, google=404), request(), CLOUD)
    places = list(candidates(request(), CLOUD).values())
    assert str(caught.value).endswith(f"not in the archive; looked at {places[0]} and {places[1]}")
    assert (caught.value.looked_at, caught.value.reason) == (places[0], "not in the archive")
