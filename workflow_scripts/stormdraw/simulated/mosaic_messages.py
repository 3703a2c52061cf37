"""GRIB2 files of the radar mosaic MRMS, with the keys and the packing of real ones."""

import gzip
from datetime import datetime

import eccodes
import numpy as np

from stormdraw.grib_encoding import set_keys
from stormdraw.grids import Grid

NO_COVERAGE, NO_ECHO = -999.0, -99.0

# Those of a file of 2022-07-04, but for its Earth, which is Clarke's spheroid.
_SECTIONS_1_AND_3 = {
    "discipline": 209,
    "centre": 161,
    "subCentre": 0,
    "tablesVersion": 255,
    "localTablesVersion": 1,
    "significanceOfReferenceTime": 3,
    "productionStatusOfProcessedData": 2,
    "typeOfProcessedData": 7,
    "gridDefinitionTemplateNumber": 0,
    "shapeOfTheEarth": 6,
    "basicAngleOfTheInitialProductionDomain": 0,
    "resolutionAndComponentFlags": 48,
    "scanningMode": 0,
}
_SECTION_4 = {
    "productDefinitionTemplateNumber": 0,
    "parameterCategory": 10,
    "parameterNumber": 0,
    "typeOfGeneratingProcess": 8,
    "backgroundProcess": 0,
    "generatingProcessIdentifier": 97,
    "indicatorOfUnitForForecastTime": 0,
    "forecastTime": 0,
    "typeOfFirstFixedSurface": 102,
    "scaleFactorOfFirstFixedSurface": 0,
    "scaledValueOfFirstFixedSurface": 500,
    "typeOfSecondFixedSurface": 255,
}
_MICRODEGREES = 1e6


def mosaic_message(values: np.ndarray, grid: Grid, time: datetime) -> bytes:
    """A message of dBZ (y, x), NO_COVERAGE or NO_ECHO, to a tenth, at a time with its seconds."""
    handle = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    try:
        set_keys(handle, _SECTIONS_1_AND_3)
        set_keys(handle, _SECTION_4)
        for key in ("year", "month", "day", "hour", "minute", "second"):
            eccodes.codes_set(handle, key, getattr(time, key))
        set_keys(handle, _points(grid))
        eccodes.codes_set(handle, "packingType", "grid_png")
        set_keys(handle, {"decimalScaleFactor": 1, "bitsPerValue": 16})
        # From north to south.
        eccodes.codes_set_values(handle, np.asarray(values[::-1], np.float64).ravel())
        return bytes(eccodes.codes_get_message(handle))
    finally:
        eccodes.codes_release(handle)


def mosaic_file(values: np.ndarray, grid: Grid, time: datetime) -> bytes:
    """The gzipped file of one message. The same values give the same bytes."""
    return gzip.compress(mosaic_message(values, grid, time), mtime=0)


def _points(grid: Grid) -> dict[str, int]:
    dy, dx = grid.spacing
    return {
        "Ni": grid.shape[1],
        "Nj": grid.shape[0],
        "latitudeOfFirstGridPoint": round(grid.y[-1] * _MICRODEGREES),
        "longitudeOfFirstGridPoint": round(grid.x[0] % 360.0 * _MICRODEGREES),
        "latitudeOfLastGridPoint": round(grid.y[0] * _MICRODEGREES),
        "longitudeOfLastGridPoint": round(grid.x[-1] % 360.0 * _MICRODEGREES),
        "iDirectionIncrement": round(dx * _MICRODEGREES),
        "jDirectionIncrement": round(dy * _MICRODEGREES),
    }
