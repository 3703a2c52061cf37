"""URMA: NOAA's UnRestricted Mesoscale Analysis of the surface, 2.5 km, six hours late."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from stormdraw.archive.base_model import ALWAYS
from stormdraw.archive.request import FileRequest
from stormdraw.archive.truth import Truth

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive


class Urma(Truth):
    """An analysis of temperature, dew point and wind near the ground, by Herbie's name of it."""

    variables = ("T2M", "D2M", "U10", "V10")
    region = "conus"
    first_runs: ClassVar[Mapping[str, datetime]] = {"aws": ALWAYS, "nomads": ALWAYS}

    def title(self, archive: "Archive", name: str) -> str:
        return f"{self.name.upper()} analysis"

    def favours(self, archive: "Archive") -> str:
        return ": a first guess from HRRR drawn to observations, which lie far apart in places"

    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        return [FileRequest(self.name, "anl", (), valid, 0, "", tuple(names))]


TRUTH = Urma
