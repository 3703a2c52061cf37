"""Files of a folder by their headers: what is wrong with a file, and what with the disk."""

import errno
import os

import pytest
from archive_messages import message, pack_together, variable_message
from archive_mirror import DAY, settings, write_analyses

from stormdraw import messages
from stormdraw.archive.faults import NOT_THERE, FaultyFileError
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.folder import read_folder_file
from stormdraw.errors import StormdrawError

T2M = variable_message("T2M", DAY, 0)
CAPE = variable_message("CAPE", DAY, 0)
U10 = variable_message("U10", DAY, 0)
V10 = variable_message("V10", DAY, 0)
DECOY = message((0, 2, 1), (103, 10), interval=(2, 1, 1), init=DAY)
RADAR = message((0, 16, 196), (10, 0), init=DAY, template=20)


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "a.grib2"
        path.write_bytes(content)
        return path

    return write


def test_messages_of_wanted_variables_whatever_lies_between_them(file):
    later = variable_message("T2M", DAY, 2)
    path = file(b"?" + RADAR + T2M + b"\n" + DECOY + CAPE + later)
    found = read_folder_file(path, ("T2M",))
    assert found.messages == [T2M, later]
    assert found.damage == []


def test_a_message_of_two_fields_is_given_whole(file):
    pair = pack_together(U10, V10)
    assert read_folder_file(file(T2M + pair), ("V10",)).messages == [pair]


def test_what_cannot_be_read_is_passed_over_and_told(file):
    damaged = bytearray(CAPE)
    damaged[16:20] = (3).to_bytes(4, "big")
    found = read_folder_file(file(bytes(damaged) + T2M), ("T2M", "CAPE"))
    assert found.messages == [T2M]
    (fault,) = found.damage
    assert "section of 3 bytes" in fault.finding


def test_what_comes_before_damage_is_found(file):
    found = read_folder_file(file(T2M + CAPE[:-9]), ("T2M", "CAPE"))
    assert found.messages == [T2M]
    (fault,) = found.damage
    assert fault.finding.startswith(f"the message at byte {len(T2M)} should be {len(CAPE)} bytes")
    assert fault.finding.endswith("the file is cut off or damaged there")


def test_a_length_of_nothing_ends_the_search(file):
    """It would find the same message for ever, since the one before it ends in 7777."""
    nothing = b"GRIB\0\0\0\2" + bytes(8)
    found = read_folder_file(file(T2M + nothing + CAPE), ("T2M", "CAPE"))
    assert found.messages == [T2M]
    assert "should be 0 bytes long" in found.damage[0].finding


def test_no_file_and_no_folder(tmp_path, file):
    for path in (tmp_path / "none", file(T2M) / "beyond"):
        with pytest.raises(FaultyFileError) as caught:
            read_folder_file(path, ("T2M",))
        assert caught.value.fault == NOT_THERE


@pytest.mark.parametrize(
    ("number", "definite"),
    [
        (errno.EACCES, True),
        (errno.EISDIR, True),
        (errno.EIO, False),
        (errno.ESTALE, False),
        (errno.EMFILE, False),
    ],
)
def test_a_failing_disk_is_no_fault_of_the_file(tmp_path, monkeypatch, number, definite):
    write_analyses(tmp_path / "mirror")

    def fail(path, *options, **more):
        if "t01z" in str(path):
            raise OSError(number, os.strerror(number))
        return open(path, *options, **more)

    monkeypatch.setattr(messages, "open", fail, raising=False)
    run = settings(archive={"source": "simulated", "missing": "skip"})
    manifest = tmp_path / "day" / "manifest.csv"
    if definite:
        fetch_day(run, "hrrr", "20260601", manifest, tmp_path / "mirror")
        assert f"cannot be read: {os.strerror(number)}" in manifest.read_text()
        return
    with pytest.raises(StormdrawError, match=f"t01z.*cannot be read: {os.strerror(number)}"):
        fetch_day(run, "hrrr", "20260601", manifest, tmp_path / "mirror")
    assert not manifest.exists()
