"""RRFS over the contiguous United States, 3 km, a run every hour."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

from stormdraw.archive.base_model import ALWAYS, BaseModel, Version
from stormdraw.grids import Grid, lambert
from stormdraw.variable_row import Product


class Rrfs(BaseModel):
    """NOAA's Rapid Refresh Forecast System, its deterministic run on the CONUS grid.

    It is operational since 2026-10-14 12 UTC (NWS SCN 26-48); files of the same layout lie in the
    public bucket since 2026-08-12 21 UTC. That date, the lengths of runs and the grid, which is
    HRRR's, are from a census of the bucket (dynamical-org/reformatters issue 1069). No echo is
    -20 dBZ (NOAA-EMC/global-workflow issue 2143).
    """

    title = "RRFS"
    products: ClassVar[Mapping[str, str]] = {"sfc": "2dfld", "prs": "prslev"}
    options = (("domain", "conus"),)
    versions = (Version(datetime(2026, 8, 12, 21), 84, 18),)
    first_runs: ClassVar[Mapping[str, datetime]] = {
        "aws": datetime(2026, 8, 12, 21),
        "nomads": ALWAYS,
    }
    days = "rrfs.[0-9]*"
    files = "rrfs.t??z.*.3km.f[0-9]*.conus.grib2"
    reflectivity_floor = -20.0

    @property
    def grid(self) -> Grid:
        """1059 x 1799 points of a Lambert conformal map."""
        return lambert(
            first_latitude=21.138123,
            first_longitude=237.280472,
            shape=(1059, 1799),
            spacing=(3000.0, 3000.0),
            central_longitude=262.5,
            standard_parallels=(38.5, 38.5),
            reference_latitude=38.5,
        )

    def path(self, start: datetime, lead: int, held: Product = "sfc") -> PurePosixPath:
        """A folder a run."""
        name = f"rrfs.t{start:%H}z.{self.product(held)}.3km.f{lead:03d}.conus.grib2"
        return PurePosixPath(f"rrfs.{start:%Y%m%d}/{start:%H}/{name}")


MODEL = Rrfs
