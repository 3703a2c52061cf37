"""Inventories against real ones, and against the GRIB codes they stand for."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from archive_messages import message, pack_together

from stormdraw.archive.inventory import inventory_lines, write_inventory
from stormdraw.archive.parameters import ABBREVIATIONS
from stormdraw.errors import StormdrawError
from stormdraw.messages import find_messages
from stormdraw.variables import VARIABLES

MINUTE, HOUR = 0, 1
AVERAGE, ACCUMULATION, MAXIMUM = 0, 1, 2
WEIGHTED_MEAN, SPREAD = 1, 4

HRRR_F05 = "hrrr.20221014.t09z.wrfsfcf05.grib2.idx"
HRRR_F00 = "hrrr.20221014.t01z.wrfsfcf00.grib2.idx"
HREF_MEAN = "href.20260810.t00z.conus.mean.f24.grib2.idx"
REFS_SPREAD = "refs.20260915.t12z.sprd.f24.conus.grib2.idx"


def columns(line: str) -> str:
    """A line from the date on: what does not depend on where the message lies."""
    return line.split(":", 2)[2]


def one_line(folder: Path, content: bytes) -> str:
    path = folder / "one.grib2"
    path.write_bytes(content)
    (line,) = inventory_lines(path)
    return columns(line)


# (real inventory, real line from the date on, GRIB2 codes of the message it describes)
REAL_LINES = [
    (
        HRRR_F05,
        "REFC:entire atmosphere:5 hour fcst:",
        {"parameter": (0, 16, 196), "surface": (10, 0)},
    ),
    (HRRR_F05, "RETOP:cloud top:5 hour fcst:", {"parameter": (0, 16, 197), "surface": (3, 0)}),
    (
        HRRR_F05,
        "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"
        ":entire atmosphere:5 hour fcst:",
        {"parameter": (0, 16, 201), "surface": (10, 0)},
    ),
    (HRRR_F05, "REFD:263 K level:5 hour fcst:", {"parameter": (0, 16, 195), "surface": (20, 263)}),
    (HRRR_F05, "UGRD:250 mb:5 hour fcst:", {"parameter": (0, 2, 2), "surface": (100, 25000)}),
    (
        HRRR_F05,
        "MAXUVV:100-1000 mb above ground:4-5 hour max fcst:",
        {
            "parameter": (0, 2, 220),
            "surface": (108, 10000),
            "second_surface": (108, 100000),
            "lead": 4,
            "interval": (MAXIMUM, 1, HOUR),
        },
    ),
    (
        HRRR_F05,
        "DZDT:0.5-0.8 sigma layer:4-5 hour ave fcst:",
        {
            "parameter": (0, 2, 9),
            "surface": (104, 0.5),
            "second_surface": (104, 0.8),
            "lead": 4,
            "interval": (AVERAGE, 1, HOUR),
        },
    ),
    (
        HRRR_F05,
        "MSLMA:mean sea level:5 hour fcst:",
        {"parameter": (0, 3, 198), "surface": (101, 0)},
    ),
    (
        HRRR_F05,
        "MXUPHL:5000-2000 m above ground:4-5 hour max fcst:",
        {
            "parameter": (0, 7, 199),
            "surface": (103, 5000),
            "second_surface": (103, 2000),
            "lead": 4,
            "interval": (MAXIMUM, 1, HOUR),
        },
    ),
    (
        HRRR_F05,
        "TCOLG:entire atmosphere (considered as a single layer):4-5 hour max fcst:",
        {
            "parameter": (0, 1, 74),
            "surface": (200, 0),
            "lead": 4,
            "interval": (MAXIMUM, 1, HOUR),
        },
    ),
    (
        HRRR_F05,
        "ASNOW:surface:0-5 hour acc fcst:",
        {"parameter": (0, 1, 29), "lead": 0, "interval": (ACCUMULATION, 5, HOUR)},
    ),
    (
        HRRR_F05,
        "MSTAV:0 m underground:5 hour fcst:",
        {"parameter": (2, 0, 194), "surface": (106, 0)},
    ),
    (HRRR_F05, "DPT:2 m above ground:5 hour fcst:", {"parameter": (0, 0, 6), "surface": (103, 2)}),
    (
        HRRR_F05,
        "WIND:10 m above ground:4-5 hour max fcst:",
        {
            "parameter": (0, 2, 1),
            "surface": (103, 10),
            "lead": 4,
            "interval": (MAXIMUM, 1, HOUR),
        },
    ),
    (
        HRRR_F05,
        "var discipline=2 center=7 local_table=1 parmcat=0 parm=231:surface:5 hour fcst:",
        {"parameter": (2, 0, 231)},
    ),
    (
        HRRR_F05,
        "LFTX:500-1000 mb:5 hour fcst:",
        {"parameter": (0, 7, 192), "surface": (100, 50000), "second_surface": (100, 100000)},
    ),
    (HRRR_F05, "HGT:cloud ceiling:5 hour fcst:", {"parameter": (0, 3, 5), "surface": (215, 0)}),
    (
        HRRR_F05,
        "CAPE:0-3000 m above ground:5 hour fcst:",
        {"parameter": (0, 7, 6), "surface": (103, 0), "second_surface": (103, 3000)},
    ),
    (
        HRRR_F05,
        "CAPE:180-0 mb above ground:5 hour fcst:",
        {"parameter": (0, 7, 6), "surface": (108, 18000), "second_surface": (108, 0)},
    ),
    (
        HRRR_F05,
        "LAYTH:261 K level - 256 K level:5 hour fcst:",
        {"parameter": (0, 3, 205), "surface": (20, 261), "second_surface": (20, 256)},
    ),
    (
        HRRR_F05,
        "SBT123:top of atmosphere:5 hour fcst:",
        {"parameter": (3, 192, 1), "surface": (8, 0)},
    ),
    (HRRR_F00, "HGT:surface:anl:", {"parameter": (0, 3, 5), "lead": 0}),
    (
        HRRR_F00,
        "APCP:surface:0-0 day acc fcst:",
        {"parameter": (0, 1, 8), "lead": 0, "interval": (ACCUMULATION, 0, HOUR)},
    ),
    (
        HREF_MEAN,
        "CAPE:surface:24 hour fcst:wt ens mean",
        {"parameter": (0, 7, 6), "derived": WEIGHTED_MEAN, "lead": 24},
    ),
    (
        HREF_MEAN,
        "APCP:surface:21-24 hour acc fcst:wt ens mean",
        {
            "parameter": (0, 1, 8),
            "derived": WEIGHTED_MEAN,
            "lead": 21,
            "interval": (ACCUMULATION, 3, HOUR),
        },
    ),
    (
        HREF_MEAN,
        "SOILW:0-0.1 m below ground:24 hour fcst:wt ens mean",
        {
            "parameter": (2, 0, 192),
            "surface": (106, 0),
            "second_surface": (106, 0.1),
            "derived": WEIGHTED_MEAN,
            "lead": 24,
        },
    ),
    (
        REFS_SPREAD,
        "ASNOW:surface:0-1 day acc fcst:ens spread",
        {
            "parameter": (0, 1, 29),
            "derived": SPREAD,
            "lead": 0,
            "interval": (ACCUMULATION, 24, HOUR),
        },
    ),
    (
        REFS_SPREAD,
        "REFC:entire atmosphere (considered as a single layer):24 hour fcst:ens spread:process=193",
        {
            "parameter": (0, 16, 196),
            "surface": (200, 0),
            "derived": SPREAD,
            "lead": 24,
            "process": 193,
        },
    ),
]

INIT = {
    HRRR_F05: datetime(2022, 10, 14, 9),
    HRRR_F00: datetime(2022, 10, 14, 1),
    HREF_MEAN: datetime(2026, 8, 10, 0),
    REFS_SPREAD: datetime(2026, 9, 15, 12),
}


@pytest.mark.parametrize(("real", "line", "codes"), REAL_LINES, ids=[row[1] for row in REAL_LINES])
def test_same_columns_as_a_real_line(real_data, tmp_path, real, line, codes):
    init = INIT[real]
    expected = f"d={init:%Y%m%d%H}:{line}"
    real_lines = (real_data / "idx" / real).read_text().splitlines()
    assert expected in [columns(real_line) for real_line in real_lines]
    assert one_line(tmp_path, message(init=init, **({"lead": 5} | codes))) == expected


def test_every_message_of_a_real_crop_stands_in_the_real_inventory(real_data):
    """The crop has lead 1 h, the inventory 5 h: hourly intervals end there, others start at 0."""
    lines = inventory_lines(real_data / "hrrr_idaho/hrrr.20180722/hrrr.t01z.wrfsfcf01.grib2")
    real = (real_data / "idx" / HRRR_F05).read_text().splitlines()
    known = {line.split(":", 3)[3] for line in real}
    assert len(lines) == 52
    for line in lines:
        variable_on = line.split(":", 3)[3]
        later = {
            variable_on.replace(":1 hour fcst:", ":5 hour fcst:"),
            variable_on.replace(":0-1 hour", ":4-5 hour"),
            variable_on.replace(":0-1 hour", ":0-5 hour"),
        } - {variable_on}
        assert later & known, line


def test_a_sub_hourly_file_is_in_minutes(real_data):
    """wgrib2's own lines for two consecutive messages of the real file."""
    assert inventory_lines(real_data / "hrrr_conus/hrrr.wrfsubhf.sample.grib2") == [
        "1:0:d=2022101401:REFC:entire atmosphere:15 min fcst:",
        "2:432197:d=2022101401:VBDSF:surface:0-15 min ave fcst:",
    ]


def test_stray_bytes_between_messages_do_not_shift_offsets(real_data, tmp_path):
    real = (real_data / "hrrr_conus/snowcast_hrrr_sample.grib2").read_bytes()
    twice = tmp_path / "twice.grib2"
    twice.write_bytes(real + real)
    assert len(real) == 1419502 + 1
    assert inventory_lines(twice) == [
        "1:0:d=2022020512:TMP:surface:1 hour fcst:",
        "2:1419503:d=2022020512:TMP:surface:1 hour fcst:",
    ]


@pytest.mark.parametrize(
    ("codes", "forecast"),
    [
        ({"lead": 60, "lead_unit": MINUTE}, "60 min fcst"),
        ({"lead": 48}, "48 hour fcst"),
        (
            {"lead": 15, "lead_unit": MINUTE, "interval": (AVERAGE, 15, MINUTE)},
            "15-30 min ave fcst",
        ),
        ({"lead": 0, "interval": (AVERAGE, 60, MINUTE)}, "0-1 hour ave fcst"),
        ({"lead": 24, "interval": (MAXIMUM, 24, HOUR)}, "1-2 day max fcst"),
        (
            {"lead": 1, "interval": (AVERAGE, 15, MINUTE)},
            "1 hour-(1 hour+15 min) ave fcst",
        ),
    ],
)
def test_forecast_columns(tmp_path, codes, forecast):
    assert one_line(tmp_path, message((0, 0, 0), **codes)).split(":")[3] == forecast


def test_fields_that_share_a_message_share_its_offset(tmp_path):
    temperature = message((0, 0, 0), (103, 2), lead=5)
    wind = pack_together(
        message((0, 2, 2), (103, 10), lead=5), message((0, 2, 3), (103, 10), lead=5)
    )
    path = tmp_path / "nam.grib2"
    path.write_bytes(temperature + wind + temperature)
    assert [line.rsplit(":", 2)[0] for line in inventory_lines(path)] == [
        "1:0:d=2022101409:TMP:2 m above ground",
        f"2.1:{len(temperature)}:d=2022101409:UGRD:10 m above ground",
        f"2.2:{len(temperature)}:d=2022101409:VGRD:10 m above ground",
        f"3:{len(temperature) + len(wind)}:d=2022101409:TMP:2 m above ground",
    ]


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("lead", [0, 1, 18])
def test_every_variable_finds_its_own_line(tmp_path, name, lead):
    row = VARIABLES[name]
    assert row.grib in ABBREVIATIONS
    for surface in row.surfaces:
        line = one_line(tmp_path, message(row.grib, (surface, row.level), lead=lead))
        assert re.search(row.inventory_pattern(lead), ":" + line)


def test_offsets_are_those_of_the_messages(real_data):
    path = real_data / "hrrr_idaho/hrrr.20180722/hrrr.t12z.wrfsfcf01.grib2"
    offsets = [int(line.split(":")[1]) for line in inventory_lines(path)]
    assert offsets == [extent.offset for extent in find_messages(path)]


def test_written_beside_the_file(tmp_path):
    path = tmp_path / "some.f01.grib2"
    path.write_bytes(message((0, 0, 0), lead=1))
    assert write_inventory(path) == tmp_path / "some.f01.grib2.idx"
    expected = "1:0:d=2022101409:TMP:surface:1 hour fcst:\n"
    assert (tmp_path / "some.f01.grib2.idx").read_text() == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"no grib here", "no GRIB message"),
        (message((0, 0, 0))[:-30], "cut off"),
    ],
)
def test_a_bad_file_is_one_line_with_its_name(tmp_path, content, complaint):
    path = tmp_path / "bad.grib2"
    path.write_bytes(content)
    with pytest.raises(StormdrawError, match=rf"bad\.grib2: .*{complaint}") as caught:
        inventory_lines(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StormdrawError):
        write_inventory(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.grib2"]


def test_a_damaged_section_is_named(tmp_path):
    content = bytearray(message((0, 0, 0)))
    content[16:20] = (10_000).to_bytes(4, "big")
    path = tmp_path / "damaged.grib2"
    path.write_bytes(content)
    with pytest.raises(StormdrawError, match=r"damaged\.grib2: .*section of 10000 bytes"):
        inventory_lines(path)
