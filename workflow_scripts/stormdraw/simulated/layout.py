"""File names, as on the public archives."""

from datetime import datetime
from pathlib import PurePosixPath

from stormdraw.membership import Member
from stormdraw.simulated.base import base_model, base_model_names


def member_path(member: Member, init: datetime, lead: int) -> PurePosixPath:
    """The file of a member's run that started at `init`."""
    options = dict(member.options)
    if member.model in base_model_names() and "member" not in options:
        return base_model(member.model).path(init, lead)
    if member.model == "nam":
        return PurePosixPath(
            f"nam.{init:%Y%m%d}/nam.t{init:%H}z.{member.product}{lead:02d}.tm00.grib2"
        )
    if member.model == "rrfs":
        return _perturbed_path(member.product, int(options["member"]), init, lead)
    number = "mem2" if options.get("member") == 2 else ""
    return PurePosixPath(
        f"hiresw.{init:%Y%m%d}/"
        f"hiresw.t{init:%H}z.{member.product}.f{lead:02d}.{options['domain']}{number}.grib2"
    )


def _perturbed_path(product: str, number: int, init: datetime, lead: int) -> PurePosixPath:
    """A file of one of RRFS's perturbed members."""
    return PurePosixPath(
        f"rrfsens.{init:%Y%m%d}/{init:%H}/m{number:03d}/"
        f"rrfs.t{init:%H}z.m{number:03d}.{product}.3km.f{lead:03d}.conus.grib2"
    )


def gfs_path(cycle: datetime, lead: int) -> PurePosixPath:
    """A file of GFS's fields of 0.25 degree."""
    return PurePosixPath(
        f"gfs.{cycle:%Y%m%d}/{cycle:%H}/atmos/gfs.t{cycle:%H}z.pgrb2.0p25.f{lead:03d}"
    )


def mosaic_path(time: datetime) -> PurePosixPath:
    """The file of the radar mosaic MRMS of a time, to the second."""
    product = "MergedReflectivityQCComposite_00.50"
    return PurePosixPath(
        f"CONUS/{product}/{time:%Y%m%d}/MRMS_{product}_{time:%Y%m%d-%H%M%S}.grib2.gz"
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
