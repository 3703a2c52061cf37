"""Products of an ensemble as GRIB2 messages, coded as NCEP codes those of HREF and REFS."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

import stormdraw  # noqa: F401 - quiets Herbie before ecCodes is loaded
from stormdraw.archive.simulated.gribs import FIXED_KEYS, grid_keys, pack
from stormdraw.grids import Grid
from stormdraw.variables import variable

import eccodes  # isort: skip

# Reflectivity and the probability-matched mean have a code in NCEP's local tables only, so that
# the centre is NCEP's (7); the data are marked as a research product of an unknown process.
_RESEARCH = 2
_UNKNOWN_PROCESS = 255

# GRIB2 code tables 4.3 (193 is NCEP's own), 4.7 and 4.9.
_ENSEMBLE_FORECAST, _PROBABILITY_FORECAST, _MATCHED_MEAN = 4, 5, 193
_UNWEIGHTED_MEAN, _SPREAD = 0, 4
_ABOVE_LOWER_LIMIT = 3
_DERIVED, _PROBABILITY = 2, 5

_FINEST_SCALE = 5

_MISSING_SURFACE = 255
_MISSING_VALUE = 9999.0


@dataclass(frozen=True)
class Message:
    """What a message says of itself apart from grid, time and values.

    `kind` is mean, spread, matched or probability; `place` and `count` number the thresholds of a
    variable from 1 on.
    """

    name: str
    kind: str
    members: int
    threshold: float = 0.0
    place: int = 1
    count: int = 1


def encode(message: Message, grid: Grid, init: datetime, lead: int, values: np.ndarray) -> bytes:
    """A message of `values` (y, x); points that are not finite are left out by a bitmap."""
    handle = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    try:
        row = variable(message.name)
        _set(handle, {"discipline": row.grib[0]} | FIXED_KEYS | grid_keys(grid))
        _set(handle, {"productionStatusOfProcessedData": _RESEARCH})
        template = _PROBABILITY if message.kind == "probability" else _DERIVED
        _set(handle, {"productDefinitionTemplateNumber": template})
        _set(
            handle,
            {
                "dataDate": int(f"{init:%Y%m%d}"),
                "dataTime": int(f"{init:%H%M}"),
                "parameterCategory": row.grib[1],
                "parameterNumber": row.grib[2],
                "generatingProcessIdentifier": _UNKNOWN_PROCESS,
                "indicatorOfUnitForForecastTime": 1,
                "forecastTime": lead,
                "typeOfFirstFixedSurface": row.surfaces[0],
                "scaleFactorOfFirstFixedSurface": 0,
                "scaledValueOfFirstFixedSurface": row.level,
                "typeOfSecondFixedSurface": _MISSING_SURFACE,
            },
        )
        _set(handle, _ensemble_keys(message))
        eccodes.codes_set(handle, "packingType", "grid_complex_spatial_differencing")
        _set(handle, {"orderOfSpatialDifferencing": 2})
        _pack(handle, values, _digits(message))
        return eccodes.codes_get_message(handle)
    finally:
        eccodes.codes_release(handle)


def inventory_columns(message: Message, init: datetime, lead: int) -> str:
    """A message's line of an inventory after its number and offset, as wgrib2 writes it."""
    endings = {
        "mean": "ens mean",
        "spread": "ens spread",
        "matched": f"ens mean:process={_MATCHED_MEAN}",
        "probability": f"prob >{message.threshold:g}:prob fcst {message.place}/{message.count}",
    }
    # The table has a regular expression, whose options come last.
    name_and_level = variable(message.name).inventory.partition("(?:")[0]
    return f"d={init:%Y%m%d%H}:{name_and_level}:{lead} hour fcst:{endings[message.kind]}"


def _ensemble_keys(message: Message) -> dict[str, int]:
    if message.kind == "probability":
        scale, scaled = scaled_limit(message.threshold)
        return {
            "typeOfGeneratingProcess": _PROBABILITY_FORECAST,
            "forecastProbabilityNumber": message.place,
            "totalNumberOfForecastProbabilities": message.count,
            "probabilityType": _ABOVE_LOWER_LIMIT,
            "scaleFactorOfLowerLimit": scale,
            "scaledValueOfLowerLimit": scaled,
        }
    matched = message.kind == "matched"
    return {
        "typeOfGeneratingProcess": _MATCHED_MEAN if matched else _ENSEMBLE_FORECAST,
        "derivedForecast": _SPREAD if message.kind == "spread" else _UNWEIGHTED_MEAN,
        "numberOfForecastsInEnsemble": message.members,
    }


def scaled_limit(threshold: float) -> tuple[int, int]:
    """(scale, scaled value) so that the threshold is scaled value x 10^-scale.

    Rounded to the fifth decimal, with which 10,000 J/kg still fit the four octets there are.
    """
    for scale in range(_FINEST_SCALE):
        scaled = threshold * 10**scale
        if abs(scaled - round(scaled)) < 1e-9 * max(1.0, abs(scaled)):
            return scale, round(scaled)
    return _FINEST_SCALE, round(threshold * 10**_FINEST_SCALE)


def _digits(message: Message) -> int:
    """Decimal places: one more than a member has, and tenths of a per cent."""
    if message.kind == "probability":
        return 1
    return round(-np.log10(variable(message.name).precision)) + 1


def _pack(handle: int, values: np.ndarray, digits: int) -> None:
    """Complex packing, as NCEP's, of whole multiples of 10^-digits: exact."""
    known = np.isfinite(values)
    if known.all():
        pack(handle, values, digits)
        return
    if not known.any():
        # Complex packing cannot hold nothing.
        eccodes.codes_set(handle, "packingType", "grid_simple")
    # The bits must be for the range of what is there, not for the mark of what is not.
    whole = np.rint(values[known] * 10.0**digits) if known.any() else np.zeros(1)
    bits = int(np.ceil(np.log2(np.ptp(whole) + 1)))
    _set(handle, {"bitmapPresent": 1})
    eccodes.codes_set(handle, "missingValue", _MISSING_VALUE)
    _set(handle, {"bitsPerValue": bits, "decimalScaleFactor": digits, "optimizeScaleFactor": 1})
    filled = np.full(values.shape, _MISSING_VALUE)
    filled[known] = np.rint(values[known] * 10.0**digits) / 10.0**digits
    eccodes.codes_set_values(handle, filled.ravel())


def _set(handle: int, keys: dict[str, Any]) -> None:
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
