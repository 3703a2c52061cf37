"""Inventories of GRIB2 files, written as wgrib2 writes them but without it.

A line is `number:offset:d=YYYYMMDDHH:variable:level:forecast:`, followed by `wt ens mean` or
`ens spread` for a product of an ensemble, `prob >30:prob fcst 1/3` for a probability, and by
`ENS=+1` for a member. This is what Herbie searches to find byte ranges.
"""

import mmap
from pathlib import Path

import eccodes

from stormdraw.archive.levels import describe_level
from stormdraw.archive.parameters import ABBREVIATIONS
from stormdraw.archive.sections import header_fields
from stormdraw.errors import StormdrawError
from stormdraw.files import write_text
from stormdraw.messages import find_messages, opened

_FIRST_LOCAL_CODE = 192
_MISSING_CODE = 255

# GRIB2 code table 4.4: name, and hours where the unit is a multiple of them.
_UNITS = {0: "min", 1: "hour", 2: "day", 3: "month", 4: "year", 13: "sec"}
_HOURS = {10: 3, 11: 6, 12: 12}

# From each unit to the next coarser one, which an interval is written in where it fits.
_COARSER = {13: (0, 60), 0: (1, 60), 1: (2, 24), 3: (4, 12)}

# GRIB2 code table 4.10.
_STATISTICS = {
    0: "ave",
    1: "acc",
    2: "max",
    3: "min",
    4: "last-first",
    5: "RMS",
    6: "StdDev",
    7: "covar",
    8: "first-last",
    9: "ratio",
}

# GRIB2 code table 4.7.
_DERIVED = {
    0: "ens mean",
    1: "wt ens mean",
    2: "ens std dev",
    3: "normalized ens std dev",
    4: "ens spread",
    6: "unwt ens mean",
    8: "min all members",
    9: "max all members",
}

# GRIB2 code table 4.9, as wgrib2 words it.
_LIMITS = {
    0: "<{LowerLimit}",
    1: ">{UpperLimit}",
    2: ">={LowerLimit} <{UpperLimit}",
    3: ">{LowerLimit}",
    4: "<{UpperLimit}",
}

# GRIB2 code table 4.6.
_ENSEMBLE_FORECASTS = {
    0: "hi-res ctl",
    1: "low-res ctl",
    2: "-{number}",
    3: "+{number}",
}


def inventory_lines(grib_path: str | Path) -> list[str]:
    """The inventory of a GRIB2 file, a line for each field.

    Fields that share a message share its offset and are numbered `N.1`, `N.2`.
    Raises StormdrawError if the file is empty, cut off or not GRIB2.
    """
    extents = find_messages(grib_path)
    lines = []
    with (
        open(grib_path, "rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        for number, extent in enumerate(extents, start=1):
            try:
                fields = header_fields(data, extent)
                described = [_describe(field) for field in fields]
            except (StormdrawError, eccodes.CodesInternalError) as error:
                raise StormdrawError(f"{grib_path}: {error}") from None
            for part, description in enumerate(described, start=1):
                label = f"{number}.{part}" if len(described) > 1 else f"{number}"
                lines.append(f"{label}:{extent.offset}:{description}")
    return lines


def write_inventory(grib_path: str | Path) -> Path:
    """Write the inventory of a GRIB2 file beside it, at once, and return its path.

    Raises StormdrawError as `inventory_lines` does.
    """
    grib_path = Path(grib_path)
    path = grib_path.with_name(grib_path.name + ".idx")
    write_text(path, "".join(line + "\n" for line in inventory_lines(grib_path)))
    return path


def _describe(field: bytes) -> str:
    """The columns of a line after the offset."""
    with opened(field) as handle:
        date = f"d={_get(handle, 'dataDate'):08d}{_get(handle, 'dataTime') // 100:02d}"
        columns = [date, _variable(handle), _level(handle), _forecast(handle)]
        return ":".join(columns) + ":" + ":".join(_endings(handle))


def _variable(handle: int) -> str:
    discipline = _get(handle, "discipline")
    category = _get(handle, "parameterCategory")
    number = _get(handle, "parameterNumber")
    known = ABBREVIATIONS.get((discipline, category, number))
    if known is not None:
        return known
    if any(_FIRST_LOCAL_CODE <= code < _MISSING_CODE for code in (discipline, category, number)):
        centre = _get(handle, "centre")
        table = _get(handle, "localTablesVersion")
        origin = f"center={centre} local_table={table}"
    else:
        origin = f"master_table={_get(handle, 'tablesVersion')}"
    return f"var discipline={discipline} {origin} parmcat={category} parm={number}"


def _level(handle: int) -> str:
    first, second = (
        (
            _get(handle, f"typeOf{which}FixedSurface"),
            _scaled(
                _get(handle, f"scaledValueOf{which}FixedSurface", missing=0),
                _get(handle, f"scaleFactorOf{which}FixedSurface", missing=0),
            ),
        )
        for which in ("First", "Second")
    )
    return describe_level(first, second)


def _scaled(value: int, factor: int) -> float:
    """GRIB2's `value * 10**-factor`, exact where the factor is negative."""
    return float(value * 10**-factor if factor <= 0 else value / 10**factor)


def _forecast(handle: int) -> str:
    start, unit = _whole_units(
        _get(handle, "forecastTime"), _get(handle, "indicatorOfUnitOfTimeRange")
    )
    if not eccodes.codes_is_defined(handle, "typeOfStatisticalProcessing"):
        return "anl" if start == 0 else f"{start} {_unit_name(unit)} fcst"
    length, length_unit = _whole_units(
        _get(handle, "lengthOfTimeRange"), _get(handle, "indicatorOfUnitForTimeRange")
    )
    code = _get(handle, "typeOfStatisticalProcessing")
    statistic = _STATISTICS.get(code, f"statistic {code}")
    return f"{_interval(start, unit, length, length_unit)} {statistic} fcst"


def _interval(start: int, unit: int, length: int, length_unit: int) -> str:
    """`4-5 hour`; a whole number of days is written in days, so that 0 to 24 h is `0-1 day`."""
    # A zero has no unit of its own.
    if start == 0:
        unit = length_unit
    elif length == 0:
        length_unit = unit
    if unit != length_unit:
        first, other = _unit_name(unit), _unit_name(length_unit)
        return f"{start} {first}-({start} {first}+{length} {other})"
    while unit in _COARSER:
        coarser, factor = _COARSER[unit]
        if start % factor or length % factor:
            break
        start, length, unit = start // factor, length // factor, coarser
    return f"{start}-{start + length} {_unit_name(unit)}"


def _whole_units(value: int, unit: int) -> tuple[int, int]:
    """Steps of 3, 6 or 12 hours as hours."""
    return (value * _HOURS[unit], 1) if unit in _HOURS else (value, unit)


def _unit_name(unit: int) -> str:
    return _UNITS.get(unit, f"unit {unit}")


def _endings(handle: int) -> list[str]:
    """What follows the forecast: the kind of ensemble product, and an unusual process."""
    endings = []
    if eccodes.codes_is_defined(handle, "typeOfEnsembleForecast"):
        kind = _get(handle, "typeOfEnsembleForecast")
        named = _ENSEMBLE_FORECASTS.get(kind, "type {kind} {number}")
        number = _get(handle, "perturbationNumber")
        endings.append(f"ENS={named.format(kind=kind, number=number)}")
    if eccodes.codes_is_defined(handle, "derivedForecast"):
        code = _get(handle, "derivedForecast")
        endings.append(_DERIVED.get(code, "unknown derived fcst"))
    if eccodes.codes_is_defined(handle, "probabilityType"):
        endings += _probability(handle)
    process = _get(handle, "typeOfGeneratingProcess")
    if _FIRST_LOCAL_CODE <= process < _MISSING_CODE:
        endings.append(f"process={process}")
    return endings


def _probability(handle: int) -> list[str]:
    """Of what it is the probability, and the number of it among how many."""
    kind = _get(handle, "probabilityType")
    limits = {}
    for end in ("LowerLimit", "UpperLimit"):
        value = _get(handle, f"scaledValueOf{end}", missing=0)
        limits[end] = f"{_scaled(value, _get(handle, f'scaleFactorOf{end}', missing=0)):g}"
    told = _LIMITS.get(kind, f"probabilityType {kind}").format(**limits)
    number, count = "forecastProbabilityNumber", "totalNumberOfForecastProbabilities"
    return [f"prob {told}", f"prob fcst {_get(handle, number)}/{_get(handle, count)}"]


def _get(handle: int, key: str, missing: int | None = None) -> int:
    """The number coded for a key; `missing` stands for one that is coded as missing."""
    if missing is not None and eccodes.codes_is_missing(handle, key):
        return missing
    return eccodes.codes_get_long(handle, key)
