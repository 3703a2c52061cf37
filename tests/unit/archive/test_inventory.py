"""Which bytes of a file are asked for, by real inventories."""

import itertools
import re
from datetime import datetime

import pytest

from stormdraw.archive.inventory import choose, line_pattern, read_inventory
from stormdraw.archive.ranges import spans
from stormdraw.archive.request import FileRequest

# (inventory, request, lines as they stand in the inventory)
REAL = [
    (
        "hrrr.20221014.t09z.wrfsfcf05.grib2.idx",
        FileRequest(
            "hrrr",
            "sfc",
            (),
            datetime(2022, 10, 14, 9),
            5,
            "",
            ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN", "OROG"),
        ),
        [
            "REFC:entire atmosphere:5 hour fcst:",
            "HGT:surface:5 hour fcst:",
            "TMP:2 m above ground:5 hour fcst:",
            "DPT:2 m above ground:5 hour fcst:",
            "UGRD:10 m above ground:5 hour fcst:",
            "VGRD:10 m above ground:5 hour fcst:",
            "CAPE:surface:5 hour fcst:",
            "CIN:surface:5 hour fcst:",
        ],
    ),
    (
        "hrrr.20221014.t01z.wrfsfcf00.grib2.idx",
        FileRequest(
            "hrrr", "sfc", (), datetime(2022, 10, 14, 1), 0, "", ("REFC", "U10", "CAPE", "CIN")
        ),
        [
            "REFC:entire atmosphere:anl:",
            "UGRD:10 m above ground:anl:",
            "CAPE:surface:anl:",
            "CIN:surface:anl:",
        ],
    ),
    (
        "href.20260810.t00z.conus.mean.f24.grib2.idx",
        FileRequest(
            "href",
            "mean",
            (("domain", "conus"),),
            datetime(2026, 8, 10),
            24,
            "",
            ("T2M", "D2M", "CAPE", "CIN", "WIND10"),
            "mean",
        ),
        [
            "CAPE:surface:24 hour fcst:wt ens mean",
            "CIN:surface:24 hour fcst:wt ens mean",
            "TMP:2 m above ground:24 hour fcst:wt ens mean",
            "DPT:2 m above ground:24 hour fcst:wt ens mean",
            "WIND:10 m above ground:24 hour fcst:wt ens mean",
        ],
    ),
    (
        "refs.20260915.t12z.sprd.f24.conus.grib2.idx",
        FileRequest(
            "refs",
            "sprd",
            (("domain", "conus"),),
            datetime(2026, 9, 15, 12),
            24,
            "",
            ("REFC", "T2M", "U10", "CAPE", "WIND10"),
            "spread",
        ),
        [
            "CAPE:surface:24 hour fcst:ens spread",
            "UGRD:10 m above ground:24 hour fcst:ens spread",
            "TMP:2 m above ground:24 hour fcst:ens spread",
            "REFC:entire atmosphere (considered as a single layer):24 hour fcst"
            ":ens spread:process=193",
            "WIND:10 m above ground:24 hour fcst:ens spread",
        ],
    ),
    (
        "hrrr.20221014.t01z.wrfsubhf00.grib2.idx",
        FileRequest("hrrr", "subh", (), datetime(2022, 10, 14, 1), 0, "", ("REFC", "U10", "V10")),
        [
            "REFC:entire atmosphere:anl:",
            "UGRD:10 m above ground:anl:",
            "VGRD:10 m above ground:anl:",
        ],
    ),
]


@pytest.mark.parametrize(("idx", "request_", "lines"), REAL, ids=[row[0] for row in REAL])
def test_the_right_bytes_by_real_inventories(real_data, idx, request_, lines):
    """Ranges read off the inventory by hand: from a line's offset to before the next line's."""
    text = (real_data / "idx" / idx).read_text()
    real = [line.split(":", 3) for line in text.splitlines()]
    expected = [
        (int(real[index][1]), int(real[index + 1][1]) - 1)
        for index, columns in enumerate(real)
        if columns[3] in lines
    ]
    assert len(expected) == len(lines)
    read = read_inventory(text)
    assert len(read) == len(real)
    choice = choose(read, request_)
    assert choice.lacking == {}
    found_spans = spans((line.offset for line in read), choice.offsets)
    pieces = [piece for span in found_spans for piece in span]
    assert [(piece.offset, piece.offset + piece.length - 1) for piece in pieces] == expected
    # Neighbours are one request.
    gaps = sum(end + 1 != start for (_, end), (start, _) in itertools.pairwise(expected))
    assert len(found_spans) == gaps + 1


SUB_HOURLY = """\
1:0:d=2022101401:REFC:entire atmosphere:15 min fcst:
2:100:d=2022101401:REFC:entire atmosphere:30 min fcst:
3:200:d=2022101401:REFC:entire atmosphere:1 hour fcst:
4:300:d=2022101401:UGRD:10 m above ground:0-1 hour ave fcst:
5:400:d=2022101401:UGRD:10 m above ground:1 hour fcst:
6:500:d=2022101401:UGRD:10 m above ground:1 hour fcst:process=193
7:600:d=2022101401:UGRD:10 m above ground:1 hour fcst:ens spread
8:700:d=2022101401:UGRD:10 m above ground:11 hour fcst:
9:800:d=2022101401:UGRD:1000 m above ground:1 hour fcst:
"""


def request_of(*names, hour=1, lead=1):
    return FileRequest("hrrr", "sfc", (), datetime(2022, 10, 14, hour), lead, "", names)


def test_look_alikes_are_passed_over():
    """In a file where some lines have more columns than others, as REFS files do."""
    choice = choose(read_inventory(SUB_HOURLY), request_of("REFC", "U10"))
    assert choice.offsets == (200, 400)
    assert choice.lacking == {}


@pytest.mark.parametrize(
    ("request_", "lacking", "finding"),
    [
        (request_of("REFC", "CAPE"), ["CAPE"], "its inventory has no CAPE at 1 h"),
        (
            request_of("REFC", hour=2),
            ["REFC"],
            "its name says 2022-10-14 02 UTC + 1 h, but its inventory says 2022-10-14 01 UTC + 1 h",
        ),
        (
            request_of("U10", lead=3),
            ["U10"],
            "its name says 2022-10-14 01 UTC + 3 h, but its inventory says 2022-10-14 01 UTC + 1 h",
        ),
    ],
)
def test_what_is_wrong_with_a_variable_that_is_not_there(request_, lacking, finding):
    choice = choose(read_inventory(SUB_HOURLY), request_)
    assert list(choice.lacking) == lacking
    assert {fault.finding for fault in choice.lacking.values()} == {finding}


@pytest.mark.parametrize(
    "text",
    ["", "not:an:inventory\n", "1:0:d=2026\n", "1:0:d=2022139901:REFC:entire atmosphere:anl:\n"],
)
def test_lines_that_are_none_are_passed_over(text):
    assert read_inventory(text) == []
    assert len(read_inventory(text + SUB_HOURLY)) == 9


def test_fields_that_share_a_message_share_its_offset():
    text = (
        "1.1:0:d=2022101401:UGRD:10 m above ground:1 hour fcst:\n"
        "1.2:0:d=2022101401:VGRD:10 m above ground:1 hour fcst:\n"
    )
    assert choose(read_inventory(text), request_of("U10", "V10")).offsets == (0, 0)


def test_a_member_may_say_which_it_is():
    text = "1:0:d=2022101401:REFC:entire atmosphere:1 hour fcst:ENS=+1\n"
    assert choose(read_inventory(text), request_of("REFC")).offsets == (0,)


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:", True),
        (":TMP:2 m above ground:24 hour fcst:ens mean:", True),
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:process=193:", True),
        (":TMP:2 m above ground:24 hour fcst:", False),
        (":TMP:2 m above ground:24 hour fcst:ens spread:", False),
        (":TMP:2 m above ground:24 hour fcst:unwt ens mean:", False),
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:prob >0:", False),
    ],
)
def test_product_lines(line, matches):
    mean = FileRequest("href", "mean", (), datetime(2026, 8, 10), 24, "", ("T2M",), "mean")
    assert bool(re.search(line_pattern("T2M", mean), line)) is matches
