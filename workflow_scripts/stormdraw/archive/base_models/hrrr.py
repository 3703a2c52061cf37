"""HRRR over the contiguous United States, 3 km, a run every hour."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

from stormdraw.archive.base_model import ALWAYS, BaseModel, Version
from stormdraw.grids import Grid, lambert
from stormdraw.variable_row import Product
from stormdraw.variables import variable

GRID = lambert(
    first_latitude=21.138123,
    first_longitude=237.280472,
    shape=(1059, 1799),
    spacing=(3000.0, 3000.0),
    central_longitude=262.5,
    standard_parallels=(38.5, 38.5),
    reference_latitude=38.5,
)

# Of the fields on pressure levels, the file of single levels has these as well (name, hPa).
_ALSO_WITH_SINGLE_LEVELS = {
    *(("TMP", level) for level in (925, 850, 700, 500)),
    *(("UGRD", level) for level in (925, 850, 700, 500, 250)),
    *(("VGRD", level) for level in (925, 850, 700, 500, 250)),
    *(("HGT", level) for level in (850, 700, 500)),
}
_ISOBARIC = 100


def held_by_hrrr(name: str) -> Product:
    """The product of a variable: fields that two files have are taken from that of single levels.

    One file an hour is then enough.
    """
    row = variable(name)
    on_a_level = row.grib.surfaces == (_ISOBARIC,) and row.grib.second_level is None
    also = (row.grib.abbreviation, row.grib.level) in _ALSO_WITH_SINGLE_LEVELS
    return "sfc" if on_a_level and row.grib.instantaneous and also else row.product


_ON_LEVELS = {
    "T925": (598_340 + 623_892) // 2,
    "T850": (575_551 + 606_210) // 2,
    "T700": (554_050 + 562_994) // 2,
    "T500": (547_079 + 550_901) // 2,
    "U925": (629_509 + 618_849) // 2,
    "U850": (609_983 + 611_282) // 2,
    "U700": (597_461 + 596_810) // 2,
    "U500": (588_322 + 594_918) // 2,
    "U250": (794_127 + 770_818) // 2,
    "V925": (636_231 + 639_430) // 2,
    "V850": (631_963 + 637_700) // 2,
    "V700": (620_278 + 608_159) // 2,
    "V500": (596_340 + 592_171) // 2,
    "V250": (765_209 + 733_399) // 2,
    "Z850": (707_724 + 712_091) // 2,
    "Z700": (717_331 + 669_060) // 2,
    "Z500": (734_233 + 697_686) // 2,
}
# No inventory of the product of pressure levels was at hand: these count as the next level, and
# humidities as that at 2 m.
_ON_LEVELS |= {"T250": _ON_LEVELS["T500"], "Z925": _ON_LEVELS["Z850"], "Z250": _ON_LEVELS["Z500"]}
_ON_LEVELS |= {f"Q{level}": (1_494_731 + 1_551_580) // 2 for level in (925, 850, 700, 500, 250)}


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
    grib_process = 83
    message_bytes: ClassVar[Mapping[str, int]] = {
        "REFC": (464_700 + 639_682) // 2,
        "T2M": (1_165_556 + 1_274_522) // 2,
        "D2M": (1_183_200 + 1_245_088) // 2,
        "U10": 2_381_615,
        "V10": 2_381_615,
        "CAPE": (492_922 + 439_927) // 2,
        "CIN": (262_012 + 496_717) // 2,
        "OROG": 2_153_695,
        "GUST": (1_198_846 + 1_305_681) // 2,
        "VIS": (1_402_602 + 1_590_808) // 2,
        "PWAT": (907_906 + 960_211) // 2,
        "MSLMA": (606_969 + 611_206) // 2,
        "HPBL": (2_972_584 + 2_967_364) // 2,
        # An analysis has no last hour.
        "APCP": 333_407,
        "WINDMAX": 1_332_100,
        "MXUPHL": 73_069,
        **_ON_LEVELS,
    }

    @property
    def grid(self) -> Grid:
        """1059 x 1799 points of a Lambert conformal map."""
        return GRID

    def held(self, name: str) -> Product:
        """As `held_by_hrrr`."""
        return held_by_hrrr(name)

    def path(self, start: datetime, lead: int, held: Product = "sfc") -> PurePosixPath:
        """A folder a day, with one of CONUS in it."""
        name = f"hrrr.t{start:%H}z.wrf{self.product(held)}f{lead:02d}.grib2"
        return PurePosixPath(f"hrrr.{start:%Y%m%d}/conus/{name}")


MODEL = Hrrr
