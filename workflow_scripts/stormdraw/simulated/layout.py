"""File names, as on the public archives."""

from datetime import datetime
from pathlib import PurePosixPath

from stormdraw.membership import Member


def hrrr_path(init: datetime, lead: int) -> PurePosixPath:
    """A file of HRRR's surface fields."""
    return PurePosixPath(f"hrrr.{init:%Y%m%d}/conus/hrrr.t{init:%H}z.wrfsfcf{lead:02d}.grib2")


def member_path(member: Member, init: datetime, lead: int) -> PurePosixPath:
    """The file of a member's run that started at `init`."""
    if member.model == "hrrr":
        return hrrr_path(init, lead)
    if member.model == "nam":
        return PurePosixPath(
            f"nam.{init:%Y%m%d}/nam.t{init:%H}z.{member.product}{lead:02d}.tm00.grib2"
        )
    options = dict(member.options)
    if member.model == "rrfs":
        return _rrfs_path(member.product, options.get("member"), init, lead)
    number = "mem2" if options.get("member") == 2 else ""
    return PurePosixPath(
        f"hiresw.{init:%Y%m%d}/"
        f"hiresw.t{init:%H}z.{member.product}.f{lead:02d}.{options['domain']}{number}.grib2"
    )


def _rrfs_path(product: str, number: int | str | None, init: datetime, lead: int) -> PurePosixPath:
    """A file of RRFS's control run, or of one of its perturbed members."""
    cycle = f"{init:%Y%m%d}/{init:%H}"
    file = f"{product}.3km.f{lead:03d}.conus.grib2"
    if number is None:
        return PurePosixPath(f"rrfs.{cycle}/rrfs.t{init:%H}z.{file}")
    return PurePosixPath(f"rrfsens.{cycle}/m{number:03d}/rrfs.t{init:%H}z.m{number:03d}.{file}")


def gfs_path(cycle: datetime, lead: int) -> PurePosixPath:
    """A file of GFS's fields of 0.25 degree."""
    return PurePosixPath(
        f"gfs.{cycle:%Y%m%d}/{cycle:%H}/atmos/gfs.t{cycle:%H}z.pgrb2.0p25.f{lead:03d}"
    )


def product_path(reference: str, product: str, init: datetime, lead: int) -> PurePosixPath:
    """A file of the products, `mean` or `sprd`, of `href` or `refs`."""
    if reference == "refs":
        return PurePosixPath(
            f"refs.{init:%Y%m%d}/{init:%H}/ensprod/"
            f"refs.t{init:%H}z.{product}.f{lead:02d}.conus.grib2"
        )
    return PurePosixPath(
        f"href.{init:%Y%m%d}/ensprod/href.t{init:%H}z.conus.{product}.f{lead:02d}.grib2"
    )
