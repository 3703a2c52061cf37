"""The file of a series that is nearest to a time, at one place."""

import logging

from stormdraw.archive.download import DECODING, Download
from stormdraw.archive.faults import AbsentFileError, Fault, FaultyFileError
from stormdraw.archive.listing import Listed, Listing
from stormdraw.archive.request import FileRequest
from stormdraw.archive.series import Series, in_words, seconds_from
from stormdraw.archive.verify_series import unpacked, verify_series
from stormdraw.grids import Grid
from stormdraw.times import hours

logger = logging.getLogger(__name__)


def download_nearest(
    listing: Listing, request: FileRequest, series: Series, grid: Grid | None = None
) -> Download:
    """Fetch and verify the file nearest to the wanted time, within the tolerance of its series.

    A file with a fault is passed over for the next nearest. The message must be on `grid`, if
    given. Raises AbsentFileError if there is no file without fault, and others as `Listing` does.
    """
    valid = request.init + hours(request.lead)
    listed = listing.by_nearness(series, valid)
    near = [one for one in listed if abs(seconds_from(valid, one.time)) <= series.tolerance]
    folder = listing.address(series, valid.strftime(series.folder))
    if not near:
        raise _none_near(request, series, listed, folder)
    faulty: list[FaultyFileError] = []
    for one in near:
        origin = listing.address(series, one.path)
        try:
            data = unpacked(listing.read(series, one), origin)
            with DECODING:
                message, own = verify_series(data, request, origin, one.time)
            if grid is not None and not own.matches(grid):
                raise FaultyFileError(origin, Fault("its grid is not that of the day's others"))
        except FaultyFileError as error:
            faulty.append(error)
            continue
        for passed_over in faulty:
            logger.warning("%s; taken from %s instead", passed_over, origin)
        return Download((message,), own, origin, {})
    others = f" ({len(faulty) - 1} more within {series.tolerance} s)" if len(faulty) > 1 else ""
    first = faulty[0]
    raise AbsentFileError(f"{first}{others}", first.origin, first.fault.finding)


def _none_near(
    request: FileRequest, series: Series, listed: list[Listed], folder: str
) -> AbsentFileError:
    """The error of a time at which the series has no file."""
    nearest = "the folder has none at all"
    if listed:
        valid = request.init + hours(request.lead)
        nearest = f"the nearest is of {in_words(seconds_from(valid, listed[0].time))}"
    finding = f"no file within {series.tolerance} s of the hour; {nearest}"
    return AbsentFileError(
        f"{request}: {finding}; looked in {folder}; choose other hours, set archive.missing to "
        "skip, or raise archive.truth_tolerance_minutes",
        folder,
        finding,
    )
