"""Checks that a file of a series is whole and is what was wanted."""

import gzip
import io
import zlib
from datetime import datetime, timedelta

import eccodes

from stormdraw.archive.faults import Fault, FaultyFileError
from stormdraw.archive.request import FileRequest
from stormdraw.archive.sections import header_fields
from stormdraw.archive.series import Series, in_words, seconds_from
from stormdraw.archive.verify import VerifiedMessage, decodable
from stormdraw.errors import StormdrawError
from stormdraw.grids import SAME_POINT, Grid
from stormdraw.messages import extents, opened, reference_time

# More than any file of these has: a gzip file of a few bytes may unpack to any size.
_LARGEST = 200_000_000


def unpacked(content: bytes, origin: str) -> bytes:
    """The bytes in a gzip file. Raises FaultyFileError if it is cut off or damaged."""
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            data = stream.read(_LARGEST + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise FaultyFileError(origin, Fault(f"is no whole gzip file: {error}")) from None
    if not data:
        raise FaultyFileError(origin, Fault("is empty"))
    if len(data) > _LARGEST:
        raise FaultyFileError(origin, Fault(f"unpacks to more than {_LARGEST} bytes"))
    return data


def verify_series(
    data: bytes, request: FileRequest, origin: str, named: datetime | None = None
) -> tuple[VerifiedMessage, Grid]:
    """The message in an unpacked file, if it is one, of the parameter, the time and a right grid.

    Its time must be the one `named` by the file, if given, and within the tolerance of the series.
    Raises FaultyFileError otherwise.
    """
    series = request.series
    if series is None:
        raise ValueError(f"{request} is not of a series")
    try:
        _require_one(data, origin)
        seconds = _seconds_after(data, request, series, named)
        grid = decodable(data, request.variables[0], whole=False)
    except FaultyFileError:
        raise
    except StormdrawError as error:
        finding = str(error).removeprefix(f"{origin}: ").partition(";")[0]
        raise FaultyFileError(origin, Fault(finding)) from None
    fault = _off_the_grid(grid, series)
    if fault is not None:
        raise FaultyFileError(origin, fault)
    return VerifiedMessage(request.variables[0], data, seconds), grid


def _require_one(data: bytes, origin: str) -> None:
    """Raise StormdrawError unless the bytes are one message with one field, and nothing else."""
    found = list(extents(data, origin))
    if len(found) > 1:
        raise StormdrawError(f"holds {len(found)} messages, expected one")
    (extent,) = found
    if (extent.offset, extent.length) != (0, len(data)):
        raise StormdrawError(f"holds {len(data) - extent.length} bytes besides its message")
    if (fields := len(header_fields(data, extent))) > 1:
        raise StormdrawError(f"its message holds {fields} fields, expected one")


def _seconds_after(
    data: bytes, request: FileRequest, series: Series, named: datetime | None
) -> int:
    """How many seconds after the wanted time the message is of, if it is what it should be."""
    with opened(data) as handle:
        keys = ("discipline", "parameterCategory", "parameterNumber")
        parameter = tuple(eccodes.codes_get_long(handle, key) for key in keys)
        time = reference_time(handle)
    if parameter != series.parameter:
        told, expected = ("/".join(map(str, one)) for one in (parameter, series.parameter))
        raise StormdrawError(f"its message is of parameter {told}, expected {expected}")
    if named is not None and time != named:
        raise StormdrawError(f"its name says {named} UTC, but its header says {time} UTC")
    seconds = seconds_from(request.init + timedelta(hours=request.lead), time)
    if abs(seconds) > series.tolerance:
        raise StormdrawError(f"is of {in_words(seconds)}, more than {series.tolerance} s")
    return seconds


def _off_the_grid(grid: Grid, series: Series) -> Fault | None:
    wanted = series.spacing
    if grid.geographic and all(
        abs(spacing - wanted) <= SAME_POINT * wanted for spacing in grid.spacing
    ):
        return None
    return Fault(f"its grid is not one of latitudes and longitudes every {wanted:g} degrees")
