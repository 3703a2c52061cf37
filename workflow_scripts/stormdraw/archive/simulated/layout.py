"""Names of files, as on the public archives."""

from datetime import datetime
from pathlib import PurePosixPath

from stormdraw.archive.membership import Member


def hrrr_path(init: datetime, lead: int) -> PurePosixPath:
    """A file of HRRR's surface fields."""
    return PurePosixPath(f"hrrr.{init:%Y%m%d}/conus/hrrr.t{init:%H}z.wrfsfcf{lead:02d}.grib2")


def member_path(member: Member, init: datetime, lead: int) -> PurePosixPath:
    """The file of a member's own run that started at `init`."""
    if member.model == "hrrr":
        return hrrr_path(init, lead)
    if member.model == "nam":
        return PurePosixPath(
            f"nam.{init:%Y%m%d}/nam.t{init:%H}z.{member.product}{lead:02d}.tm00.grib2"
        )
    options = dict(member.options)
    number = "mem2" if options.get("member") == 2 else ""
    return PurePosixPath(
        f"hiresw.{init:%Y%m%d}/"
        f"hiresw.t{init:%H}z.{member.product}.f{lead:02d}.{options['domain']}{number}.grib2"
    )


def href_path(product: str, init: datetime, lead: int) -> PurePosixPath:
    """A file of HREF's products, `mean` or `sprd`."""
    return PurePosixPath(
        f"href.{init:%Y%m%d}/ensprod/href.t{init:%H}z.conus.{product}.f{lead:02d}.grib2"
    )
