"""Small GRIB2 messages with NCEP's codes, made for the tests of the archive stage."""

import functools
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from stormdraw.variables import VARIABLES

import eccodes  # isort: skip  (after stormdraw: see its __init__)

SHAPE = (4, 5)

# Products of radars and satellites have neither a surface nor a forecast time.
WITHOUT_SURFACE = (20, 30, 31)

_HOUR = 1
_SECONDS = {0: 60, 1: 3600, 13: 1}
_NONE = 255

_FIXED_KEYS: dict[str, int | float | str] = {
    "centre": 7,
    "tablesVersion": 2,
    "localTablesVersion": 1,
    "gridType": "lambert",
    "Nx": SHAPE[1],
    "Ny": SHAPE[0],
    "DxInMetres": 3000,
    "DyInMetres": 3000,
    "LoVInDegrees": 262.5,
    "LaDInDegrees": 38.5,
    "Latin1InDegrees": 38.5,
    "Latin2InDegrees": 38.5,
    "latitudeOfFirstGridPointInDegrees": 36.0,
    "longitudeOfFirstGridPointInDegrees": 262.5,
    "jScansPositively": 1,
}


@functools.cache
def message(
    parameter: tuple[int, int, int],
    surface: tuple[int, float] = (1, 0),
    second_surface: tuple[int, float] | None = None,
    init: datetime = datetime(2022, 10, 14, 9),
    lead: int = 0,
    lead_unit: int = _HOUR,
    interval: tuple[int, int, int] | None = None,
    derived: int | None = None,
    process: int = 2,
    value: float = 1.0,
    template: int | None = None,
    keys: tuple[tuple[str, int | float], ...] = (),
) -> bytes:
    """A message on a 4 x 5 Lambert grid.

    `parameter` is (discipline, category, number); surfaces are (type, value); `interval` is
    (statistic of code table 4.10, length, unit), from `lead` on; `derived` is of code table 4.7.
    `template` is another product definition than follows from these, `keys` are further keys of
    ecCodes.
    """
    handle = eccodes.codes_grib_new_from_samples("GRIB2")
    templates = {(False, False): 0, (True, False): 8, (False, True): 2, (True, True): 12}
    if template is None:
        template = templates[interval is not None, derived is not None]
    coded = _FIXED_KEYS | {
        "dataDate": int(init.strftime("%Y%m%d")),
        "dataTime": int(init.strftime("%H%M")),
        "discipline": parameter[0],
        "productDefinitionTemplateNumber": template,
        "parameterCategory": parameter[1],
        "parameterNumber": parameter[2],
        "typeOfGeneratingProcess": process,
    }
    if template not in WITHOUT_SURFACE:
        coded |= {"indicatorOfUnitOfTimeRange": lead_unit, "forecastTime": lead}
    if interval is not None:
        coded |= {
            "typeOfStatisticalProcessing": interval[0],
            "typeOfTimeIncrement": 2,
            "indicatorOfUnitForTimeRange": interval[2],
            "lengthOfTimeRange": interval[1],
        } | _end(init + timedelta(seconds=lead * _SECONDS[lead_unit]), interval)
    if derived is not None:
        coded |= {"derivedForecast": derived, "numberOfForecastsInEnsemble": 10}
    if template not in WITHOUT_SURFACE:
        coded |= _surface("First", surface) | _surface("Second", second_surface or (_NONE, 0))
    try:
        for key, setting in (coded | dict(keys)).items():
            eccodes.codes_set(handle, key, setting)
        rng = np.random.default_rng(0)
        values = value + rng.normal(size=SHAPE[0] * SHAPE[1])
        eccodes.codes_set_values(handle, values)
        return eccodes.codes_get_message(handle)
    finally:
        eccodes.codes_release(handle)


def _end(start: datetime, interval: tuple[int, int, int]) -> dict[str, int | float | str]:
    end = start + timedelta(seconds=interval[1] * _SECONDS[interval[2]])
    parts = ("year", "month", "day", "hour", "minute", "second")
    return {f"{part}OfEndOfOverallTimeInterval": getattr(end, part) for part in parts}


def _surface(which: str, surface: tuple[int, float]) -> dict[str, int | float | str]:
    kind, value = surface
    factor = 0 if float(value).is_integer() else 1
    return {
        f"typeOf{which}FixedSurface": kind,
        f"scaleFactorOf{which}FixedSurface": factor,
        f"scaledValueOf{which}FixedSurface": round(value * 10**factor),
    }


def pack_together(first: bytes, second: bytes) -> bytes:
    """One message with the fields of two that share their grid, as NAM's wind components do."""
    head, *rest = _cut(first)
    repeated = b"".join(part for part in _cut(second)[1:] if part[4] in (4, 5, 6, 7))
    body = b"".join(rest) + repeated + b"7777"
    return head[:8] + (16 + len(body)).to_bytes(8, "big") + body


def _cut(message_bytes: bytes) -> list[bytes]:
    """Section 0, then each other section up to the end."""
    parts = [message_bytes[:16]]
    position = 16
    while message_bytes[position : position + 4] != b"7777":
        length = int.from_bytes(message_bytes[position : position + 4], "big")
        parts.append(message_bytes[position : position + length])
        position += length
    return parts


def variable_message(name: str, init: datetime, lead: int, **codes: Any) -> bytes:
    """A message of a variable of stormdraw's table."""
    row = VARIABLES[name]
    surface = codes.pop("surface", row.grib.first_surface)
    if row.grib.top is not None:
        codes.setdefault("second_surface", (surface[0], row.grib.top))
    if not row.grib.instantaneous:
        statistic = {"accumulation": 1, "maximum": 2, "minimum": 3}[row.grib.statistic]
        # HRRR's analyses have intervals without length.
        length = min(lead, row.grib.hours)
        codes.setdefault("interval", (statistic, length, _HOUR))
        lead -= length
    return message(row.grib.parameter, surface, init=init, lead=lead, **codes)
