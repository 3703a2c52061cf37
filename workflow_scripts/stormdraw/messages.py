"""GRIB2 messages: their position in a file, and what their headers say."""

import contextlib
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import eccodes

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import Description
from stormdraw.grid_headers import read_grid as read_grid
from stormdraw.variable_row import Variable
from stormdraw.variables import identify

# The beginning and end of a message, and the bytes of its section 0: the beginning, its discipline,
# its edition and its length.
START, END = b"GRIB", b"7777"
INDICATOR_LENGTH = 16
SHORTEST = INDICATOR_LENGTH + len(END)
EDITION = 2

Statistic = Literal["mean", "spread"]

# GRIB2 code table 4.7, over all members; NCEP writes the weighted mean, with equal weights. Other
# codes are statistics that are not used here: a cluster's mean, the largest member.
_DERIVED_FORECAST: dict[int, Statistic] = {0: "mean", 1: "mean", 4: "spread"}

# GRIB2 code table 4.0: templates of a plain field, of a member and of an ensemble, at a point in
# time and over an interval. Other templates are not fields of a forecast: a probability (5), a
# percentile (6), an analysis error (7), a radar or satellite product (20, 30, 31).
_AT_A_TIME, _OVER_AN_INTERVAL = (0, 1, 2), (8, 11, 12)
_OF_A_MEMBER, _DERIVED = (1, 11), (2, 12)

# GRIB2 code table 4.6: the two unperturbed controls, and negatively perturbed forecasts.
_CONTROLS = (0, 1)
_NEGATIVELY_PERTURBED = 2

_NO_SURFACE = 255

_SECONDS_PER_UNIT = {
    0: 60,
    1: 3600,
    2: 86400,
    10: 3 * 3600,
    11: 6 * 3600,
    12: 12 * 3600,
    13: 1,
}
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Extent:
    """The position of a message in a file, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class Header:
    """The content of a message's header.

    `variable` is None for a message whose field is not in the table of variables. `lead` is in
    hours, to the end of the interval of an extreme or accumulation; None if the step is not a whole
    number of hours. `statistic` is set for a product of an ensemble. `member` is the
    perturbation's number, 0 for a control, negative for a negative perturbation; None if the
    message does not declare an ensemble.
    """

    variable: Variable | None
    init: datetime
    lead: int | None = None
    statistic: Statistic | Literal["other"] | None = None
    member: int | None = None
    grid_relative_winds: bool = False


@contextlib.contextmanager
def mapped(path: str | Path) -> Iterator[mmap.mmap]:
    """The bytes of a file as a memory map.

    Raises StormdrawError if the file is empty or unreadable.
    """
    try:
        with open(path, "rb") as stream:
            empty = Path(path).stat().st_size == 0
            data = None if empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise StormdrawError(f"{path}: cannot be read: {error.strerror}") from error
    if data is None:
        raise StormdrawError(f"{path}: the file is empty; delete it and fetch it again")
    with data:
        yield data


def extents(data: bytes | mmap.mmap, path: str | Path) -> Iterator[Extent]:
    """The extent of each message in the bytes of a file, in order.

    Raises StormdrawError, with the file's name, at the first incomplete message, and if there is no
    message at all.
    """
    offset = data.find(START)
    if offset < 0:
        raise StormdrawError(f"{path}: holds no GRIB message; delete it and fetch it again")
    while offset >= 0:
        indicator = data[offset : offset + INDICATOR_LENGTH]
        if len(indicator) < INDICATOR_LENGTH:
            raise StormdrawError(f"{path}: cut off in the header of the message at byte {offset}")
        edition, length = edition_and_length(indicator)
        if edition != EDITION:
            raise StormdrawError(f"{path}: {other_edition(offset, edition)}")
        end = offset + length
        # A length of 0 would find the same message forever.
        if length < SHORTEST or data[end - len(END) : end] != END:
            raise StormdrawError(f"{path}: {cut_off(offset, length)}; delete it and fetch it again")
        yield Extent(offset, length)
        offset = data.find(START, end)


def edition_and_length(indicator: bytes) -> tuple[int, int]:
    """The content of section 0: the edition of GRIB, and the length of the message in bytes."""
    return indicator[7], int.from_bytes(indicator[8:INDICATOR_LENGTH], "big")


def other_edition(offset: int, edition: int) -> str:
    """The fault of a message of another edition."""
    return f"the message at byte {offset} is GRIB edition {edition}, expected {EDITION}"


def cut_off(offset: int, length: int) -> str:
    """The fault of a message that does not end where its section 0 says."""
    return (
        f"the message at byte {offset} should be {length} bytes long and end in 7777, but the file "
        "is cut off or damaged there"
    )


@contextlib.contextmanager
def opened(message: bytes) -> Iterator[int]:
    """An ecCodes handle of one message, released at the end of the block.

    Raises StormdrawError if ecCodes cannot read the bytes.
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

    Raises StormdrawError as `extents` does, once it reaches the fault.
    """
    with mapped(path) as data:
        for extent in extents(data, path):
            yield data[extent.offset : extent.offset + extent.length]


def read_header(handle: int) -> Header:
    """The header of the message behind an ecCodes handle.

    Raises StormdrawError if its time is invalid, or if a required key is missing.
    """
    try:
        init = reference_time(handle)
        template = _get(handle, "productDefinitionTemplateNumber")
        if template not in _AT_A_TIME + _OVER_AN_INTERVAL:
            return Header(variable=None, init=init)
        interval = _interval(handle) if template in _OVER_AN_INTERVAL else None
        variable = _variable(handle, interval)
        seconds = _seconds_to_end(handle, interval)
        if variable is not None and interval is not None:
            _require_end(handle, init, seconds)
        return Header(
            variable=variable,
            init=init,
            lead=_whole_hours(seconds),
            statistic=_statistic(handle) if template in _DERIVED else None,
            member=_member(handle) if template in _OF_A_MEMBER else None,
            grid_relative_winds=grid_relative_winds(handle),
        )
    except eccodes.CodesInternalError as error:
        raise StormdrawError(f"ecCodes cannot read the message's header: {error}") from None


def reference_time(handle: int) -> datetime:
    """The reference time of a message, to the second. Raises StormdrawError if it is invalid."""
    # Not `dataTime`, which ecCodes cannot give for a time with seconds.
    return _time(handle, ("year", "month", "day", "hour", "minute", "second"))


def _time(handle: int, keys: Iterable[str]) -> datetime:
    parts = [_get(handle, key) for key in keys]
    try:
        return datetime(*parts)
    except ValueError:
        told = "-".join(map(str, parts))
        raise StormdrawError(f"the message has an invalid time: {told}") from None


@dataclass(frozen=True)
class _Interval:
    """What is done with the values over how long (s): a code of table 4.10; None if unknown."""

    processing: int | None
    seconds: int | None


def _interval(handle: int) -> _Interval:
    # A maximum of averages, for one, has several time ranges.
    single = _get(handle, "numberOfTimeRanges") == 1
    unit = _SECONDS_PER_UNIT.get(_get(handle, "indicatorOfUnitForTimeRange:l"))
    return _Interval(
        _get(handle, "typeOfStatisticalProcessing:l") if single else None,
        None if unit is None or not single else _get(handle, "lengthOfTimeRange") * unit,
    )


def _variable(handle: int, interval: _Interval | None) -> Variable | None:
    if interval is not None and None in (interval.processing, interval.seconds):
        return None
    layer = _get(handle, "typeOfSecondFixedSurface:l") != _NO_SURFACE
    return identify(
        Description(
            (
                _get(handle, "discipline"),
                _get(handle, "parameterCategory"),
                _get(handle, "parameterNumber"),
            ),
            _surface(handle, "First"),
            _surface(handle, "Second") if layer else None,
            None if interval is None else interval.processing,
            None if interval is None else (interval.seconds or 0) / _SECONDS_PER_HOUR,
        )
    )


def _surface(handle: int, which: str) -> tuple[int, float]:
    """The type of a surface and the exact value on it: ecCodes' own `level` is a whole number."""
    kind = _get(handle, f"typeOf{which}FixedSurface:l")
    keys = (f"scaledValueOf{which}FixedSurface", f"scaleFactorOf{which}FixedSurface")
    if any(eccodes.codes_is_missing(handle, key) for key in keys):
        return kind, 0.0
    value, factor = (_get(handle, key) for key in keys)
    return kind, float(value * 10**-factor if factor <= 0 else value / 10**factor)


def _seconds_to_end(handle: int, interval: _Interval | None) -> int | None:
    """Seconds from the initial time to the valid time, which is the end of an interval.

    From the coded keys: ecCodes' computed `step` changes its unit with the value.
    """
    unit = _SECONDS_PER_UNIT.get(_get(handle, "indicatorOfUnitOfTimeRange:l"))
    length = 0 if interval is None else interval.seconds
    if unit is None or length is None:
        return None
    return int(_get(handle, "forecastTime")) * unit + length


def _whole_hours(seconds: int | None) -> int | None:
    if seconds is None or seconds % _SECONDS_PER_HOUR:
        return None
    return seconds // _SECONDS_PER_HOUR


def _require_end(handle: int, init: datetime, seconds: int | None) -> None:
    """Raise StormdrawError if the coded end of an interval is not start and length together."""
    ending = "OfEndOfOverallTimeInterval"
    parts = ("year", "month", "day", "hour", "minute", "second")
    end = _time(handle, [f"{part}{ending}" for part in parts])
    if seconds is None or end != init + timedelta(seconds=seconds):
        raise StormdrawError(
            f"the message's interval ends at {end:%Y-%m-%d %H:%M} UTC by its own end, and at "
            "another time by its start and length"
        )


def _statistic(handle: int) -> Statistic | Literal["other"]:
    return _DERIVED_FORECAST.get(_get(handle, "derivedForecast"), "other")


def _member(handle: int) -> int:
    kind, number = _get(handle, "typeOfEnsembleForecast"), _get(handle, "perturbationNumber")
    if kind in _CONTROLS:
        return 0
    return -number if kind == _NEGATIVELY_PERTURBED else number


def grid_relative_winds(handle: int) -> bool:
    """Whether wind components point along the grid's x and y rather than east and north."""
    flag = "uvRelativeToGrid"
    return bool(eccodes.codes_is_defined(handle, flag) and _get(handle, flag))


def _get(handle: int, key: str) -> Any:
    """The value of a key; `key:l` returns the number rather than the name."""
    name, _, kind = key.partition(":")
    return eccodes.codes_get_long(handle, name) if kind == "l" else eccodes.codes_get(handle, name)
