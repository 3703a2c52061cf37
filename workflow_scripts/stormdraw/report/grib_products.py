"""Products of an ensemble as GRIB2 messages, encoded as NCEP encodes HREF and REFS."""

from dataclasses import dataclass
from datetime import datetime

import eccodes
import numpy as np

from stormdraw.grib_encoding import interval_keys, new_message, pack, surface_keys
from stormdraw.grib_keys import PROCESSING_CODES
from stormdraw.grids import Grid
from stormdraw.scores.threshold import Threshold
from stormdraw.variables import variable

# Only NCEP's local tables have codes for reflectivity and probability-matched means, so the centre
# is NCEP (7). The data are marked as a research product of an unknown process.
_RESEARCH = 2
_UNKNOWN_PROCESS = 255

# GRIB2 code tables 4.3 (193 and 200 are NCEP's own), 4.7 and 4.9.
_ENSEMBLE_FORECAST, _PROBABILITY_FORECAST = 4, 5
_MATCHED_MEANS = {"matched": 193, "local": 200}
_UNWEIGHTED_MEAN, _SPREAD = 0, 4
_ABOVE_LOWER_LIMIT, _BELOW_UPPER_LIMIT = 3, 4
# Code table 4.0, at a point in time and over an interval.
_DERIVED, _PROBABILITY = (2, 12), (5, 9)

_FINEST_SCALE = 5

# Messages that are no probability ignore it.
_NO_THRESHOLD = Threshold(0.0)


@dataclass(frozen=True)
class Message:
    """What identifies a message besides its grid, time and values.

    `kind` is mean, spread, matched (probability-matched mean), local (local probability-matched
    mean) or probability. A probability is that of threshold number `place` (from 1) of `count`, of
    which none is a percentile.
    """

    name: str
    kind: str
    members: int
    threshold: Threshold = _NO_THRESHOLD
    place: int = 1
    count: int = 1


def encode(message: Message, grid: Grid, init: datetime, lead: int, values: np.ndarray) -> bytes:
    """Encode `values` (y, x) as a message; a bitmap marks points that are not finite."""
    row = variable(message.name)
    over_interval = not row.grib.instantaneous
    template = (_PROBABILITY if message.kind == "probability" else _DERIVED)[over_interval]
    keys = {
        "productionStatusOfProcessedData": _RESEARCH,
        "dataDate": int(f"{init:%Y%m%d}"),
        "dataTime": int(f"{init:%H%M}"),
        "generatingProcessIdentifier": _UNKNOWN_PROCESS,
        "forecastTime": lead,
        **surface_keys(*row.grib.first_surface, row.grib.top),
        **_ensemble_keys(message),
    }
    if over_interval:
        code = PROCESSING_CODES[row.grib.statistic]
        keys |= interval_keys(init, lead, row.grib.hours, code)
    with new_message(grid, row.grib.parameter, template, keys) as handle:
        pack(handle, values, _digits(message))
        return eccodes.codes_get_message(handle)


def inventory_columns(message: Message, init: datetime, lead: int) -> str:
    """The columns after number and offset of a message's inventory line, as wgrib2 writes them."""
    beyond = "<" if message.threshold.at_most else ">"
    endings = {
        "mean": "ens mean",
        "spread": "ens spread",
        **{kind: f"ens mean:process={code}" for kind, code in _MATCHED_MEANS.items()},
        "probability": f"prob {beyond}{message.threshold.number:g}:prob fcst "
        f"{message.place}/{message.count}",
    }
    # The table of variables holds a regular expression whose alternatives come last.
    row = variable(message.name)
    name_and_level = row.inventory.partition("(?:")[0]
    forecast = row.grib.forecast_column(lead)
    return f"d={init:%Y%m%d%H}:{name_and_level}:{forecast}:{endings[message.kind]}"


def _ensemble_keys(message: Message) -> dict[str, int]:
    if message.kind == "probability":
        scale, scaled = scaled_limit(message.threshold.number)
        kind, limit = _ABOVE_LOWER_LIMIT, "LowerLimit"
        if message.threshold.at_most:
            kind, limit = _BELOW_UPPER_LIMIT, "UpperLimit"
        return {
            "typeOfGeneratingProcess": _PROBABILITY_FORECAST,
            "forecastProbabilityNumber": message.place,
            "totalNumberOfForecastProbabilities": message.count,
            "probabilityType": kind,
            f"scaleFactorOf{limit}": scale,
            f"scaledValueOf{limit}": scaled,
        }
    return {
        "typeOfGeneratingProcess": _MATCHED_MEANS.get(message.kind, _ENSEMBLE_FORECAST),
        "derivedForecast": _SPREAD if message.kind == "spread" else _UNWEIGHTED_MEAN,
        "numberOfForecastsInEnsemble": message.members,
    }


def scaled_limit(threshold: float) -> tuple[int, int]:
    """(scale, scaled value) such that the threshold equals scaled value x 10^-scale.

    The threshold is rounded to five decimals, so that 10,000 J/kg still fits into four octets.
    """
    for scale in range(_FINEST_SCALE):
        scaled = threshold * 10**scale
        if abs(scaled - round(scaled)) < 1e-9 * max(1.0, abs(scaled)):
            return scale, round(scaled)
    return _FINEST_SCALE, round(threshold * 10**_FINEST_SCALE)


def _digits(message: Message) -> int:
    """Decimal places to keep: one more than members have; one for probabilities in per cent."""
    if message.kind == "probability":
        return 1
    return round(-np.log10(variable(message.name).precision)) + 1
