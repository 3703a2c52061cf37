"""HRRR over Alaska, 3 km, a run every three hours."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

from stormdraw.archive.base_model import ALWAYS, BaseModel, Version
from stormdraw.archive.base_models.hrrr import held_by_hrrr
from stormdraw.grids import Grid, polar_stereographic
from stormdraw.variable_row import Product


class HrrrAlaska(BaseModel):
    """NOAA's High-Resolution Rapid Refresh for Alaska, which is there since HRRR's version 3.

    Cycles and lengths of runs: NWS SCN 18-58; Dowell et al. 2022, doi:10.1175/WAF-D-21-0151.1. The
    archives that hold it are Herbie's; since when they do is assumed to be as for HRRR.
    """

    title = "HRRR-AK"
    region = "alaska"
    products: ClassVar[Mapping[str, str]] = {"sfc": "sfc", "prs": "prs", "nat": "nat"}
    cycle_hours = 3
    versions = (
        Version(datetime(2020, 12, 2, 12), 48, 18),  # v4
        Version(datetime(2018, 7, 12, 12), 36, 18),  # v3
    )
    first_runs: ClassVar[Mapping[str, datetime]] = {
        "aws": datetime(2018, 7, 12, 12),
        "google": datetime(2018, 7, 12, 12),
        "azure": datetime(2021, 3, 21),
        "nomads": ALWAYS,
    }
    days = "hrrr.[0-9]*"
    files = "hrrr.t??z.wrf*.ak.grib2"
    reflectivity_floor = -10.0

    @property
    def grid(self) -> Grid:
        """919 x 1299 points of a polar stereographic map."""
        return polar_stereographic(
            first_latitude=41.612949,
            first_longitude=185.117126,
            shape=(919, 1299),
            spacing=(3000.0, 3000.0),
            central_longitude=225.0,
            true_latitude=60.0,
        )

    def held(self, name: str) -> Product:
        """Its files are assumed to hold what HRRR's do."""
        return held_by_hrrr(name)

    def path(self, start: datetime, lead: int, held: Product = "sfc") -> PurePosixPath:
        """Beside HRRR's in the folder of a day."""
        name = f"hrrr.t{start:%H}z.wrf{self.product(held)}f{lead:02d}.ak.grib2"
        return PurePosixPath(f"hrrr.{start:%Y%m%d}/alaska/{name}")


MODEL = HrrrAlaska
