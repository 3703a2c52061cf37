"""MRMS: NOAA's mosaic of radars, composite reflectivity every two minutes on a grid of 0.01 degree.

https://www.nssl.noaa.gov/projects/mrms, files as in the public bucket `noaa-mrms-pds`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from stormdraw.archive.request import FileRequest
from stormdraw.archive.series import Series
from stormdraw.archive.truth import Codes, Truth

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive

PRODUCT = "MergedReflectivityQCComposite_00.50"
SECONDS_PER_MINUTE = 60


def series(tolerance: int) -> Series:
    """The files of the mosaic, of which one within `tolerance` seconds is wanted."""
    return Series(
        bucket="noaa-mrms-pds",
        folder=f"CONUS/{PRODUCT}/%Y%m%d",
        name=f"MRMS_{PRODUCT}_%Y%m%d-%H%M%S.grib2.gz",
        tolerance=tolerance,
        parameter=(209, 10, 0),
        spacing=0.01,
        # That of 2022-07-04 at 11 UTC, of which 5 % has echoes.
        file_bytes=1_473_079,
    )


class Mrms(Truth):
    """Quality-controlled composite reflectivity.

    That its bucket begins on 2020-10-14 is what its users say; nobody listed it for this.
    """

    variables = ("REFC",)
    region = "conus"
    first_runs: ClassVar[Mapping[str, datetime]] = {"aws": datetime(2020, 10, 14)}
    simulated = True
    codes = Codes(no_coverage=-999.0, no_echo=-99.0)

    def title(self, archive: "Archive", name: str) -> str:
        return "simulated radar mosaic" if archive.source == "simulated" else "MRMS radar mosaic"

    def favours(self, archive: "Archive") -> str:
        return (
            ": observations that no model here learns from; where no radar sees, nothing is "
            "compared, for all systems alike"
        )

    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        own = series(archive.truth_tolerance_minutes * SECONDS_PER_MINUTE)
        return [FileRequest("mrms", PRODUCT, (), valid, 0, "", tuple(names), series=own)]


TRUTH = Mrms
