"""Only whole messages of the right time pass."""

from datetime import datetime

import pytest
from archive_messages import message, pack_together, variable_message

from stormdraw.archive.verify import verify
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError
from stormdraw.messages import read_messages

INIT = datetime(2026, 6, 1, 12)
T2M = variable_message("T2M", INIT, 3)
CAPE = variable_message("CAPE", INIT, 3)
U10 = variable_message("U10", INIT, 3)
V10 = variable_message("V10", INIT, 3)


def request(*names, lead=3, init=INIT, statistic=None):
    return FileRequest("hrrr", "sfc", (), init, lead, "", names, statistic)


@pytest.fixture
def fetched(tmp_path):
    def write(content):
        path = tmp_path / "fetched.grib2"
        path.write_bytes(content)
        return path

    return write


def test_wanted_messages_in_the_order_asked_for(fetched):
    found = verify(
        read_messages(fetched(CAPE + b"\n" + T2M + b"\n")), request("T2M", "CAPE"), "somewhere"
    )
    assert [(entry.variable, entry.content) for entry in found] == [("T2M", T2M), ("CAPE", CAPE)]


def test_what_is_not_wanted_is_passed_over(fetched):
    maximum = message((0, 2, 1), (103, 10), init=INIT, lead=2, interval=(2, 1, 1))
    layer = message((0, 7, 6), (108, 9000), (108, 0), init=INIT, lead=3)
    found = verify(read_messages(fetched(maximum + layer + CAPE)), request("CAPE"), "somewhere")
    assert [entry.content for entry in found] == [CAPE]


def test_fields_that_share_a_message_are_taken_apart():
    found = verify([pack_together(U10, V10)], request("U10", "V10"), "somewhere")
    assert [entry.content for entry in found] == [U10, V10]


def test_the_first_of_two_is_taken(fetched, caplog):
    other = message((0, 3, 5), (1, 0), init=INIT, lead=3, value=9.0, process=193)
    first = variable_message("OROG", INIT, 3)
    found = verify(read_messages(fetched(first + other)), request("OROG"), "somewhere")
    assert [entry.content for entry in found] == [first]
    assert "somewhere: holds OROG twice" in caplog.text


@pytest.mark.parametrize(
    ("content", "wanted", "complaint"),
    [
        (T2M, request("T2M", "CAPE"), "do not hold CAPE"),
        (
            T2M,
            request("T2M", lead=4),
            r"name says 2026-06-01 12 UTC \+ 4 h, but T2M's header says 2026-06-01 12 UTC \+ 3 h",
        ),
        (
            T2M,
            request("T2M", init=datetime(2026, 6, 1, 11), lead=4),
            r"name says 2026-06-01 11 UTC \+ 4 h, but T2M's header says 2026-06-01 12 UTC \+ 3 h",
        ),
        (
            message((0, 0, 0), (103, 2), init=INIT, lead=15, lead_unit=0),
            request("T2M"),
            "a part of an hour",
        ),
        (T2M, request("T2M", statistic="mean"), "is no ensemble statistic, expected mean"),
        (
            variable_message("T2M", INIT, 3, derived=4),
            request("T2M", statistic="mean"),
            "is spread, expected mean",
        ),
        (
            variable_message("T2M", INIT, 3, derived=1),
            request("T2M"),
            "is mean, expected a plain forecast",
        ),
    ],
)
def test_anything_else_is_an_error_of_one_line_about_the_origin(
    fetched, content, wanted, complaint
):
    with pytest.raises(StormdrawError, match=f"^somewhere: .*{complaint}") as caught:
        verify(read_messages(fetched(content)), wanted, "somewhere")
    assert "\n" not in str(caught.value)
    assert "fetched.grib2" not in str(caught.value)


def test_statistics_as_asked():
    mean = variable_message("T2M", INIT, 3, derived=1)
    spread = variable_message("T2M", INIT, 3, derived=4)
    assert verify([mean], request("T2M", statistic="mean"), "x")[0].content == mean
    assert verify([spread], request("T2M", statistic="spread"), "x")[0].content == spread
