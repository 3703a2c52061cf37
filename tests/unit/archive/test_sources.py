"""Where files are looked for: Herbie's own addresses, pointed at a mirror or not."""

from datetime import datetime
from pathlib import Path

import pytest
from archive_mirror import settings

from stormdraw.archive.request import FileRequest
from stormdraw.archive.sources import (
    Cloud,
    Folder,
    Website,
    candidates,
    inventories_of,
    place_of,
    stored_path,
)
from stormdraw.errors import StormdrawError

INIT = datetime(2018, 7, 22, 1)
ANALYSIS = FileRequest("hrrr", "sfc", (), INIT, 1, "", ("T2M",))
NAM = FileRequest("nam", "conusnest.hiresf", (), INIT, 7, "", ("T2M",))
HIRESW = FileRequest("hiresw", "fv3_5km", (("domain", "conus"),), INIT, 7, "", ("T2M",))
SECOND = FileRequest(
    "hiresw", "arw_5km", (("domain", "conus"), ("member", 2)), INIT, 7, "", ("T2M",)
)
MEAN = FileRequest("href", "mean", (("domain", "conus"),), INIT, 7, "", ("T2M",), "mean")


def test_cloud_sources_in_the_order_of_the_configuration():
    assert candidates(ANALYSIS, Cloud(("google", "aws"))) == {
        "google": "https://storage.googleapis.com/high-resolution-rapid-refresh/hrrr.20180722/conus"
        "/hrrr.t01z.wrfsfcf01.grib2",
        "aws": "https://noaa-hrrr-bdp-pds.s3.amazonaws.com/hrrr.20180722/conus"
        "/hrrr.t01z.wrfsfcf01.grib2",
    }


def test_a_source_without_the_model_is_no_candidate():
    assert candidates(HIRESW, Cloud(("aws", "google"))) == {}
    assert list(candidates(HIRESW, Cloud(("aws", "nomads")))) == ["nomads"]


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
def test_a_mirror_has_the_layout_of_the_bucket_or_no_domain_folder(request_, paths):
    folder = candidates(request_, Folder(Path("/data/mirror")))
    assert list(folder.values()) == [f"/data/mirror/{path}" for path in paths]
    website = candidates(request_, Website("http://mirror.example/noaa"))
    assert list(website.values()) == [f"http://mirror.example/noaa/{path}" for path in paths]


def test_files_of_runs_on_two_days_do_not_meet():
    today = stored_path(HIRESW)
    assert today == "hiresw.20180722/hiresw.t01z.fv3_5km.f07.conus.grib2"
    yesterday = FileRequest(
        "hiresw", "fv3_5km", HIRESW.options, datetime(2018, 7, 21, 1), 7, "", ()
    )
    assert stored_path(yesterday) != today


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


def test_inventories_lie_beside_the_file():
    address = "https://mirror.example/hrrr.20180722/conus/hrrr.t01z.wrfsfcf01.grib2"
    assert inventories_of(ANALYSIS, address) == [f"{address}.idx"]
    # URMA's names do not end in what their kind is.
    urma = FileRequest("urma", "anl", (), INIT, 0, "", ("T2M",))
    address = "https://mirror.example/urma2p5.20180722/urma2p5.t01z.2dvaranl_ndfd.grb2_wexp"
    assert f"{address}.idx" in inventories_of(urma, address)
