"""GRIB2 messages, encoded and packed as by NCEP.

Grids are Lambert conformal, polar stereographic or of latitudes and longitudes.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import eccodes
import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.grids import EARTH_RADIUS, Grid

_MICRODEGREES = 6
_MILLIMETRES = 1000
_MISSING_SURFACE = 255
# Larger than any value. ecCodes treats it as missing; its default is 9999.
_MISSING_VALUE = 1e20

_GRID_TEMPLATE = "gridDefinitionTemplateNumber"

# Identification and packing: as in NCEP's files.
_FIXED_KEYS: dict[str, int] = {
    "tablesVersion": 2,
    "centre": 7,
    "subCentre": 0,
    "localTablesVersion": 1,
    "significanceOfReferenceTime": 1,
    "productionStatusOfProcessedData": 0,
    "typeOfProcessedData": 1,
    "shapeOfTheEarth": 6,
}

# As in HRRR's files: winds follow the grid's axes, and rows run from south to north.
_PROJECTED_KEYS: dict[str, int] = {
    "resolutionAndComponentFlags": 8,
    "projectionCentreFlag": 0,
    "scanningMode": 64,
}

# As in GFS's files: winds follow the compass, and rows run from north to south.
_GEOGRAPHIC_KEYS: dict[str, int] = {
    _GRID_TEMPLATE: 0,
    "basicAngleOfTheInitialProductionDomain": 0,
    "resolutionAndComponentFlags": 48,
    "scanningMode": 0,
}


@contextlib.contextmanager
def new_message(
    grid: Grid, parameter: tuple[int, int, int], template: int, keys: Mapping[str, int]
) -> Iterator[int]:
    """An ecCodes handle of a message without values; it is released at the end.

    `parameter` is (discipline, category, number), `template` is the GRIB2 product definition, and
    `keys` are set in order after the template.
    """
    handle = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    discipline, category, number = parameter
    try:
        # Setting a template resets the keys of its section, so that comes first.
        own = _grid_keys(grid)
        first = {"discipline": discipline, _GRID_TEMPLATE: own[_GRID_TEMPLATE]}
        set_keys(handle, first | _FIXED_KEYS | own)
        set_keys(handle, {"productDefinitionTemplateNumber": template})
        set_keys(handle, {"parameterCategory": category, "parameterNumber": number})
        set_keys(handle, {"indicatorOfUnitForForecastTime": 1})
        set_keys(handle, keys)
        eccodes.codes_set(handle, "packingType", "grid_complex_spatial_differencing")
        set_keys(handle, {"orderOfSpatialDifferencing": 2})
        yield handle
    finally:
        eccodes.codes_release(handle)


def surface_keys(surface: int, level: int, top: int | None = None) -> dict[str, int]:
    """The keys of a level; `top` is the upper surface of a layer."""
    first = {
        "typeOfFirstFixedSurface": surface,
        "scaleFactorOfFirstFixedSurface": 0,
        "scaledValueOfFirstFixedSurface": level,
    }
    if top is None:
        return first | {"typeOfSecondFixedSurface": _MISSING_SURFACE}
    return first | {
        "typeOfSecondFixedSurface": surface,
        "scaleFactorOfSecondFixedSurface": 0,
        "scaledValueOfSecondFixedSurface": top,
    }


def interval_keys(init: datetime, lead: int, hours: int, processing: int) -> dict[str, int]:
    """The keys of a statistic over the last `hours` of a forecast, a code of table 4.10.

    The interval is shorter where the run is: empty at the initial time, as in HRRR's files.
    """
    end = init + timedelta(hours=lead)
    return {
        "forecastTime": max(lead - hours, 0),
        "typeOfStatisticalProcessing": processing,
        "indicatorOfUnitForTimeRange": 1,
        "lengthOfTimeRange": min(lead, hours),
        "yearOfEndOfOverallTimeInterval": end.year,
        "monthOfEndOfOverallTimeInterval": end.month,
        "dayOfEndOfOverallTimeInterval": end.day,
        "hourOfEndOfOverallTimeInterval": end.hour,
        "minuteOfEndOfOverallTimeInterval": 0,
        "secondOfEndOfOverallTimeInterval": 0,
    }


def first_point(grid: Grid) -> tuple[float, float]:
    """Longitude in [0, 360) and latitude of the first point, to the microdegree."""
    longitude, latitude = Grid(grid.crs, grid.x[:1], grid.y[:1]).longitude_latitude()
    return (
        round(float(longitude[0, 0]) % 360.0, _MICRODEGREES),
        round(float(latitude[0, 0]), _MICRODEGREES),
    )


def pack(handle: int, values: np.ndarray, digits: int) -> None:
    """Complex packing of whole multiples of 10^-digits: exact, since no binary scale is needed.

    A bitmap leaves out the points of `values` (y, x) that are not finite.
    """
    known = np.isfinite(values)
    whole = np.rint(values[known] * 10.0**digits)
    eccodes.codes_set(handle, "missingValue", _MISSING_VALUE)
    if not known.all():
        set_keys(handle, {"bitmapPresent": 1})
    if not known.any():
        # Complex packing needs at least one value.
        eccodes.codes_set(handle, "packingType", "grid_simple")
    # ecCodes uses the decimal scale only if it may choose the scales itself. Given just the bits
    # that the range needs, it keeps this decimal scale and a binary scale of zero. The range
    # excludes the missing value.
    bits = int(np.ceil(np.log2(np.ptp(whole) + 1))) if known.any() else 0
    set_keys(handle, {"bitsPerValue": bits, "decimalScaleFactor": digits, "optimizeScaleFactor": 1})
    stored = np.full(values.shape, _MISSING_VALUE)
    stored[known] = whole / 10.0**digits
    if not eccodes.codes_get_long(handle, "jScansPositively"):
        stored = stored[::-1]
    eccodes.codes_set_values(handle, stored.ravel())


def set_keys(handle: int, keys: Mapping[str, int]) -> None:
    """Set keys of a message in order."""
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)


def require_encodable(grid: Grid) -> None:
    """Raise StormdrawError for a grid of which this writes no messages."""
    on_map = grid.geographic or grid.crs.startswith(
        tuple(f"+proj={name} " for name in _PROJECTIONS)
    )
    if not on_map or f"+R={EARTH_RADIUS:.0f}" not in grid.crs.split():
        raise StormdrawError(
            "GRIB2 is written on Lambert conformal, polar stereographic and latitude-longitude "
            f"grids of a sphere of {EARTH_RADIUS:.0f} m, and this is another one: {grid.crs[:80]}"
        )


def _grid_keys(grid: Grid) -> dict[str, int]:
    if grid.geographic:
        return _latitude_longitude(grid)
    projection = dict(part.split("=") for part in grid.crs.split() if "=" in part)
    return _PROJECTED_KEYS | _PROJECTIONS[projection["+proj"]](projection) | _points(grid)


def _latitude_longitude(grid: Grid) -> dict[str, int]:
    dy, dx = grid.spacing
    return _GEOGRAPHIC_KEYS | {
        "Ni": grid.shape[1],
        "Nj": grid.shape[0],
        "latitudeOfFirstGridPoint": _microdegrees(grid.y[-1]),
        "longitudeOfFirstGridPoint": _microdegrees(grid.x[0] % 360.0),
        "latitudeOfLastGridPoint": _microdegrees(grid.y[0]),
        "longitudeOfLastGridPoint": _microdegrees(grid.x[-1] % 360.0),
        "iDirectionIncrement": _microdegrees(dx),
        "jDirectionIncrement": _microdegrees(dy),
    }


def _lambert(projection: Mapping[str, str]) -> dict[str, int]:
    return {
        _GRID_TEMPLATE: 30,
        "LaD": _microdegrees(float(projection["+lat_0"])),
        "LoV": _microdegrees(float(projection["+lon_0"]) % 360.0),
        "Latin1": _microdegrees(float(projection["+lat_1"])),
        "Latin2": _microdegrees(float(projection["+lat_2"])),
        "latitudeOfSouthernPole": 0,
        "longitudeOfSouthernPole": 0,
    }


def _polar_stereographic(projection: Mapping[str, str]) -> dict[str, int]:
    """The north pole is the centre of the map."""
    return {
        _GRID_TEMPLATE: 20,
        "LaD": _microdegrees(float(projection["+lat_ts"])),
        "orientationOfTheGrid": _microdegrees(float(projection["+lon_0"]) % 360.0),
    }


# By PROJ's names, those of the base models' grids.
_PROJECTIONS = {"lcc": _lambert, "stere": _polar_stereographic}


def _points(grid: Grid) -> dict[str, int]:
    longitude, latitude = first_point(grid)
    dy, dx = grid.spacing
    return {
        "Nx": grid.shape[1],
        "Ny": grid.shape[0],
        "latitudeOfFirstGridPoint": _microdegrees(latitude),
        "longitudeOfFirstGridPoint": _microdegrees(longitude),
        "Dx": round(dx * _MILLIMETRES),
        "Dy": round(dy * _MILLIMETRES),
    }


def _microdegrees(degrees: float) -> int:
    return round(degrees * 10**_MICRODEGREES)
