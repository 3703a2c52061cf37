"""GRIB2 messages: where they lie in a file, and what their headers say."""

import contextlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import eccodes

from stormdraw.errors import StormdrawError
from stormdraw.grid_headers import read_grid as read_grid
from stormdraw.variables import Variable, identify

_START = b"GRIB"
_END = b"7777"
_INDICATOR_LENGTH = 16

Statistic = Literal["mean", "spread"]

# GRIB2 code table 4.7; NCEP writes the weighted mean, with equal weights.
_DERIVED_FORECAST: dict[int, Statistic] = {0: "mean", 1: "mean", 4: "spread"}

# Product definition templates of a derived ensemble forecast, at a time and over an interval.
_DERIVED_TEMPLATES = (2, 12)

_MINUTES_PER_UNIT = {0: 1, 1: 60, 2: 1440, 10: 180, 11: 360, 12: 720}


@dataclass(frozen=True)
class Extent:
    """Where a message lies in a file, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class Header:
    """What a message says it is.

    `variable` is None for a message that is not in the table of variables. `lead` is in hours, and
    None where the step is not a whole number of them. `instantaneous` is False for averages,
    extremes and accumulations. `statistic` is set for a product of an ensemble.
    """

    variable: Variable | None
    init: datetime
    lead: int | None
    instantaneous: bool
    statistic: Statistic | None


def find_messages(path: str | Path) -> list[Extent]:
    """The extent of every GRIB2 message in a file; stray bytes between messages are passed over.

    Raises StormdrawError if the file is empty, holds no message, or ends in the middle of one.
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise StormdrawError(f"{path}: the file is empty; delete it and fetch it again")
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        extents = list(_extents(path, data))
    if not extents:
        raise StormdrawError(f"{path}: holds no GRIB message; delete it and fetch it again")
    return extents


def _extents(path: Path, data: mmap.mmap) -> Iterator[Extent]:
    offset = data.find(_START)
    while offset >= 0:
        indicator = data[offset : offset + _INDICATOR_LENGTH]
        if len(indicator) < _INDICATOR_LENGTH:
            raise StormdrawError(f"{path}: cut off in the header of the message at byte {offset}")
        edition = indicator[7]
        if edition != 2:
            raise StormdrawError(
                f"{path}: the message at byte {offset} is GRIB edition {edition}, expected 2"
            )
        length = int.from_bytes(indicator[8:16], "big")
        end = offset + length
        if end > len(data) or data[end - len(_END) : end] != _END:
            raise StormdrawError(
                f"{path}: the message at byte {offset} should be {length} bytes long and end in "
                "7777, but the file is cut off or damaged there; delete it and fetch it again"
            )
        yield Extent(offset, length)
        offset = data.find(_START, end)


@contextlib.contextmanager
def opened(message: bytes) -> Iterator[int]:
    """An ecCodes handle of one message, released at the end of the block.

    Raises StormdrawError if ecCodes cannot make sense of the bytes.
    """
    try:
        handle = eccodes.codes_new_from_message(message)
    except eccodes.CodesInternalError as error:
        raise StormdrawError(f"ecCodes cannot read the message: {error}") from None
    try:
        yield handle
    finally:
        eccodes.codes_release(handle)


def read_messages(path: str | Path) -> Iterator[bytes]:
    """The bytes of each message of a file, one at a time.

    Raises StormdrawError as `find_messages` does.
    """
    extents = find_messages(path)
    with open(path, "rb") as stream:
        for extent in extents:
            stream.seek(extent.offset)
            yield stream.read(extent.length)


def read_header(handle: int) -> Header:
    """What the message behind an ecCodes handle says it is."""
    init = datetime.strptime(
        f"{_get(handle, 'dataDate'):08d}{_get(handle, 'dataTime'):04d}", "%Y%m%d%H%M"
    )
    # ecCodes' computed `step` keys change units with the value; the coded ones do not.
    minutes = _get(handle, "forecastTime") * _MINUTES_PER_UNIT.get(
        _get(handle, "indicatorOfUnitOfTimeRange"), 0
    )
    template = _get(handle, "productDefinitionTemplateNumber")
    statistic = None
    if template in _DERIVED_TEMPLATES:
        statistic = _DERIVED_FORECAST.get(_get(handle, "derivedForecast"))
    return Header(
        variable=identify(
            _get(handle, "discipline"),
            _get(handle, "parameterCategory"),
            _get(handle, "parameterNumber"),
            _get(handle, "typeOfFirstFixedSurface:l"),
            _get(handle, "level"),
        ),
        init=init,
        lead=minutes // 60 if minutes % 60 == 0 else None,
        instantaneous=not eccodes.codes_is_defined(handle, "typeOfStatisticalProcessing"),
        statistic=statistic,
    )


def grid_relative_winds(handle: int) -> bool:
    """Whether wind components point along the grid's x and y rather than east and north."""
    return bool(_get(handle, "uvRelativeToGrid"))


def _get(handle: int, key: str) -> Any:
    """The value of a key; `key:l` asks for the number rather than the name."""
    name, _, kind = key.partition(":")
    return eccodes.codes_get_long(handle, name) if kind == "l" else eccodes.codes_get(handle, name)
