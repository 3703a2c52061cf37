"""Where files are looked for: Herbie's own addresses, pointed at a mirror or not."""

import itertools
import re
from datetime import datetime
from pathlib import Path

import pytest
from archive_mirror import settings

from stormdraw.archive.download import line_pattern, search_pattern
from stormdraw.archive.herbie_library import load_herbie
from stormdraw.archive.ranges import spans
from stormdraw.archive.sources import (
    Cloud,
    Folder,
    Website,
    ask_herbie,
    candidates,
    place_of,
    stored_path,
)
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError

INIT = datetime(2018, 7, 22, 1)
ANALYSIS = FileRequest("hrrr", "sfc", (), INIT, 1, "", ("T2M",))
NAM = FileRequest("nam", "conusnest.hiresf", (), INIT, 7, "", ("T2M",))
HIRESW = FileRequest("hiresw", "fv3_5km", (("domain", "conus"),), INIT, 7, "", ("T2M",))
SECOND = FileRequest(
    "hiresw", "arw_5km", (("domain", "conus"), ("member", 2)), INIT, 7, "", ("T2M",)
)
MEAN = FileRequest("href", "mean", (("domain", "conus"),), INIT, 7, "", ("T2M",), "mean")


@pytest.fixture(scope="module")
def herbie(tmp_path_factory):
    return load_herbie(tmp_path_factory.mktemp("herbie"))


def test_cloud_sources_in_the_order_of_the_configuration(herbie):
    assert candidates(herbie, ANALYSIS, Cloud(("google", "aws"))) == {
        "google": "https://storage.googleapis.com/high-resolution-rapid-refresh/hrrr.20180722/conus"
        "/hrrr.t01z.wrfsfcf01.grib2",
        "aws": "https://noaa-hrrr-bdp-pds.s3.amazonaws.com/hrrr.20180722/conus"
        "/hrrr.t01z.wrfsfcf01.grib2",
    }


def test_a_source_without_the_model_is_no_candidate(herbie):
    assert candidates(herbie, HIRESW, Cloud(("aws", "google"))) == {}
    assert list(candidates(herbie, HIRESW, Cloud(("aws", "nomads")))) == ["nomads"]


@pytest.mark.parametrize(
    ("request_", "paths"),
    [
        (
            ANALYSIS,
            [
                "hrrr.20180722/conus/hrrr.t01z.wrfsfcf01.grib2",
                "hrrr.20180722/hrrr.t01z.wrfsfcf01.grib2",
            ],
        ),
        (NAM, ["nam.20180722/nam.t01z.conusnest.hiresf07.tm00.grib2"]),
        (HIRESW, ["hiresw.20180722/hiresw.t01z.fv3_5km.f07.conus.grib2"]),
        (SECOND, ["hiresw.20180722/hiresw.t01z.arw_5km.f07.conusmem2.grib2"]),
        (
            MEAN,
            [
                "href.20180722/ensprod/href.t01z.conus.mean.f07.grib2",
                "href.20180722/href.t01z.conus.mean.f07.grib2",
            ],
        ),
    ],
)
def test_a_mirror_has_the_layout_of_the_bucket_or_no_domain_folder(herbie, request_, paths):
    folder = candidates(herbie, request_, Folder(Path("/data/mirror")))
    assert list(folder.values()) == [f"/data/mirror/{path}" for path in paths]
    assert all(key.startswith("local") for key in folder)
    website = candidates(herbie, request_, Website("http://mirror.example/noaa"))
    assert list(website.values()) == [f"http://mirror.example/noaa/{path}" for path in paths]
    assert not any(key.startswith("local") for key in website)


def test_files_of_runs_on_two_days_do_not_meet(herbie):
    today = stored_path(herbie, HIRESW)
    assert today == "hiresw.20180722/hiresw.t01z.fv3_5km.f07.conus.grib2"
    yesterday = FileRequest(
        "hiresw", "fv3_5km", HIRESW.options, datetime(2018, 7, 21, 1), 7, "", ()
    )
    assert stored_path(herbie, yesterday) != today


def test_the_place_is_what_the_configuration_says(tmp_path):
    def place(source, mirror=None):
        return place_of(settings(archive={"source": source}), mirror)

    assert place(["google", "aws"]) == Cloud(("google", "aws"))
    assert place({"mirror": str(tmp_path)}) == Folder(tmp_path)
    assert place({"mirror": "https://mirror.example/noaa/"}) == Website(
        "https://mirror.example/noaa"
    )
    assert place("simulated", tmp_path) == Folder(tmp_path)
    with pytest.raises(
        StormdrawError, match=r"archive\.source\.mirror: there is no folder .*/gone"
    ):
        place({"mirror": str(tmp_path / "gone")})
    with pytest.raises(StormdrawError, match="no simulated archive was given"):
        place("simulated")


# (inventory, request, lines as they stand in the inventory)
REAL = [
    (
        "hrrr.20221014.t09z.wrfsfcf05.grib2.idx",
        "hrrr.20221014/conus/hrrr.t09z.wrfsfcf05.grib2",
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
        "hrrr.20221014/conus/hrrr.t01z.wrfsfcf00.grib2",
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
        "href.20260810/ensprod/href.t00z.conus.mean.f24.grib2",
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
        "refs.20260915/12/ensprod/refs.t12z.sprd.f24.conus.grib2",
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
        "hrrr.20221014/conus/hrrr.t01z.wrfsubhf00.grib2",
        FileRequest("hrrr", "subh", (), datetime(2022, 10, 14, 1), 0, "", ("REFC", "U10", "V10")),
        [
            "REFC:entire atmosphere:anl:",
            "UGRD:10 m above ground:anl:",
            "VGRD:10 m above ground:anl:",
        ],
    ),
]


@pytest.mark.parametrize(("idx", "path", "request_", "lines"), REAL, ids=[row[0] for row in REAL])
def test_herbie_finds_the_right_bytes_in_real_inventories(
    herbie, real_data, tmp_path, idx, path, request_, lines
):
    """Ranges read off the inventory by hand: from a line's offset to before the next line's."""
    real = [line.split(":", 3) for line in (real_data / "idx" / idx).read_text().splitlines()]
    expected = [
        (int(real[index][1]), int(real[index + 1][1]) - 1)
        for index, columns in enumerate(real)
        if columns[3] in lines
    ]
    assert len(expected) == len(lines)
    grib = tmp_path / "mirror" / path
    grib.parent.mkdir(parents=True)
    grib.write_bytes(b"stands for a file of 150 MB")
    grib.with_name(grib.name + ".idx").write_bytes((real_data / "idx" / idx).read_bytes())
    place = candidates(herbie, request_, Folder(tmp_path / "mirror"))
    asked = ask_herbie(herbie, request_, place, tmp_path / "work")
    found = asked.inventory(search_pattern(request_))
    found_spans = spans(asked.index_as_dataframe["start_byte"], found["start_byte"])
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


def test_look_alikes_are_passed_over(herbie, tmp_path):
    """In a file where some lines have more columns than others, as REFS files do."""
    request = FileRequest("hrrr", "sfc", (), datetime(2022, 10, 14, 1), 1, "", ("REFC", "U10"))
    grib = tmp_path / "hrrr.20221014" / "hrrr.t01z.wrfsfcf01.grib2"
    grib.parent.mkdir()
    grib.write_bytes(b"GRIB")
    grib.with_name(grib.name + ".idx").write_text(SUB_HOURLY)
    place = {"local": str(grib)}
    asked = ask_herbie(herbie, request, place, tmp_path / "work")
    found = asked.inventory(search_pattern(request))
    assert found["start_byte"].tolist() == [200, 400]


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:", True),
        (":TMP:2 m above ground:24 hour fcst:ens mean:", True),
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:nan:", True),
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:process=193:", True),
        (":TMP:2 m above ground:24 hour fcst:", False),
        (":TMP:2 m above ground:24 hour fcst:ens spread:", False),
        (":TMP:2 m above ground:24 hour fcst:unwt ens mean:", False),
        (":TMP:2 m above ground:24 hour fcst:wt ens mean:prob >0:", False),
    ],
)
def test_product_lines(line, matches):
    mean = FileRequest("href", "mean", (), INIT, 24, "", ("T2M",), "mean")
    assert bool(re.search(line_pattern("T2M", mean), line)) is matches
