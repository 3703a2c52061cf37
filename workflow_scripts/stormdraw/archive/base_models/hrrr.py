"""HRRR over the contiguous United States, 3 km, a run every hour."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from stormdraw.archive.base_model import ALWAYS, BaseModel, Version
from stormdraw.grids import HRRR, Grid


class Hrrr(BaseModel):
    """NOAA's High-Resolution Rapid Refresh.

    Lengths of runs: NWS TIN 14-32 and SCN 18-58; Dowell et al. 2022, doi:10.1175/WAF-D-21-0151.1.
    First days in the archives: Herbie's pages. Sizes are means of two inventories, of 2022-10-14 at
    01 UTC (f00) and at 09 UTC (f05).
    """

    title = "HRRR"
    products: ClassVar[Mapping[str, str]] = {"sfc": "sfc", "prs": "prs", "nat": "nat"}
    versions = (
        Version(datetime(2020, 12, 2, 12), 48, 18),  # v4
        Version(datetime(2018, 7, 12, 12), 36, 18),  # v3
        Version(datetime(2016, 8, 23, 12), 18, 18),  # v2
        Version(ALWAYS, 15, 15),  # v1, since September 2014, and the trials before it
    )
    first_runs: ClassVar[Mapping[str, datetime]] = {
        "aws": datetime(2014, 7, 30),
        "google": datetime(2014, 7, 30),
        "azure": datetime(2021, 3, 21),
        "nomads": ALWAYS,
    }
    days = "hrrr.[0-9]*"
    files = "hrrr.t??z.wrf*[0-9].grib2"
    reflectivity_floor = -10.0
    message_bytes: ClassVar[Mapping[str, int]] = {
        "REFC": (464_700 + 639_682) // 2,
        "T2M": (1_165_556 + 1_274_522) // 2,
        "D2M": (1_183_200 + 1_245_088) // 2,
        "U10": 2_381_615,
        "V10": 2_381_615,
        "CAPE": (492_922 + 439_927) // 2,
        "CIN": (262_012 + 496_717) // 2,
        "OROG": 2_153_695,
    }

    @property
    def grid(self) -> Grid:
        """1059 x 1799 points of a Lambert conformal map."""
        return HRRR


MODEL = Hrrr
