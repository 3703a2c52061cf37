"""Fields as GRIB2 messages, coded as NCEP codes them."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import eccodes
import numpy as np

from stormdraw.archive.simulated.domain import first_point
from stormdraw.grids import Grid
from stormdraw.messages import opened
from stormdraw.variables import variable

_MICRO = 1_000_000
_MISSING = 255

_INSTANT, _DERIVED, _INTERVAL = 0, 2, 8

# The templates of a member of an ensemble in their place.
_OF_A_MEMBER = {_INSTANT: 1, _INTERVAL: 11}

# GRIB2 code tables 4.3, 4.6, 4.7 and 4.10.
_FORECAST, _ENSEMBLE_FORECAST = 2, 4
_POSITIVELY_PERTURBED = 3
_WEIGHTED_MEAN, _SPREAD = 1, 4
_MAXIMUM = 2

_PRESSURE_ABOVE_GROUND = 108

# Identification and packing: as in HRRR's files.
_FIXED_KEYS: dict[str, int] = {
    "tablesVersion": 2,
    "centre": 7,
    "subCentre": 0,
    "localTablesVersion": 1,
    "significanceOfReferenceTime": 1,
    "productionStatusOfProcessedData": 0,
    "typeOfProcessedData": 1,
    "gridDefinitionTemplateNumber": 30,
    "shapeOfTheEarth": 6,
    "resolutionAndComponentFlags": 8,
    "projectionCentreFlag": 0,
    "scanningMode": 64,
    "latitudeOfSouthernPole": 0,
    "longitudeOfSouthernPole": 0,
}


@dataclass(frozen=True)
class Product:
    """What a message holds, apart from grid, time and values.

    `grib` is (discipline, category, number). `top` closes a layer of the same kind of surface.
    `digits` are the decimal places kept, negative for tens. `template` is GRIB2's product
    definition; `derived` its code of an ensemble statistic.
    """

    grib: tuple[int, int, int]
    surface: int
    level: int
    digits: int
    top: int | None = None
    template: int = _INSTANT
    derived: int | None = None

    @classmethod
    def of(cls, name: str) -> "Product":
        """The product of a variable of the table."""
        row = variable(name)
        digits = round(-np.log10(row.precision))
        return cls(row.grib, row.surfaces[0], row.level, digits)


def ensemble_product(name: str, statistic: str) -> Product:
    """The mean or spread of a variable; one digit finer than the members."""
    single = Product.of(name)
    return Product(
        single.grib,
        single.surface,
        single.level,
        single.digits + 1,
        template=_DERIVED,
        derived={"mean": _WEIGHTED_MEAN, "spread": _SPREAD}[statistic],
    )


# Messages that real files have and that must be passed over: the wrong level, the wrong layer, a
# maximum over the hour.
DECOYS = {
    "TMP:surface": Product((0, 0, 0), 1, 0, digits=1),
    "WIND:hourly maximum": Product((0, 2, 1), 103, 10, digits=1, template=_INTERVAL),
    "CAPE:180-0 mb": Product((0, 7, 6), _PRESSURE_ABOVE_GROUND, 18000, digits=-1, top=0),
    "CIN:180-0 mb": Product((0, 7, 7), _PRESSURE_ABOVE_GROUND, 18000, digits=0, top=0),
}


class Encoder(contextlib.ExitStack):
    """Writes messages on one grid, by one generating process (NCEP's table A).

    `perturbation` is the number of an ensemble's member, if its messages say that they are of one.
    Keeps a handle for each product, since making one costs as much as packing the values; use it as
    a context manager, which releases them.
    """

    def __init__(self, grid: Grid, process: int, perturbation: int | None = None) -> None:
        super().__init__()
        self.grid = grid
        self.perturbation = perturbation
        self.process = process
        self._handles: dict[Product, int] = {}

    def encode(
        self,
        product: Product,
        values: np.ndarray,
        init: datetime,
        lead: int,
        members: int | None = None,
    ) -> bytes:
        """A message with `values` (y, x), rounded to the product's digits.

        `members` is the size of the ensemble a statistic is of.
        """
        handle = self._handle(product)
        times = {
            "dataDate": int(f"{init:%Y%m%d}"),
            "dataTime": int(f"{init:%H%M}"),
            "forecastTime": lead,
        }
        if product.template == _INTERVAL:
            times |= _last_hour(init, lead)
        if members is not None:
            times["numberOfForecastsInEnsemble"] = members
        _set(handle, times)
        _pack(handle, values, product.digits)
        return eccodes.codes_get_message(handle)

    def _handle(self, product: Product) -> int:
        if product not in self._handles:
            message = _template(self.grid, self.process, product, self.perturbation)
            self._handles[product] = self.enter_context(opened(message))
        return self._handles[product]


def _template(grid: Grid, process: int, product: Product, perturbation: int | None) -> bytes:
    """A message that lacks only times and values."""
    template = product.template if perturbation is None else _OF_A_MEMBER[product.template]
    sample = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    try:
        _set(sample, {"discipline": product.grib[0]} | _FIXED_KEYS | _grid_keys(grid))
        _set(sample, {"productDefinitionTemplateNumber": template})
        _set(sample, _product_keys(product, process))
        if perturbation is not None:
            _set(sample, {"typeOfEnsembleForecast": _POSITIVELY_PERTURBED})
            _set(sample, {"perturbationNumber": perturbation})
        eccodes.codes_set(sample, "packingType", "grid_complex_spatial_differencing")
        _set(sample, {"orderOfSpatialDifferencing": 2})
        # The packing takes hold once there are values.
        _pack(sample, np.zeros(grid.shape), product.digits)
        return eccodes.codes_get_message(sample)
    finally:
        eccodes.codes_release(sample)


def _grid_keys(grid: Grid) -> dict[str, int]:
    longitude, latitude = first_point(grid)
    projection = dict(part.split("=") for part in grid.crs.split() if "=" in part)
    dy, dx = grid.spacing
    return {
        "Nx": grid.shape[1],
        "Ny": grid.shape[0],
        "latitudeOfFirstGridPoint": round(latitude * _MICRO),
        "longitudeOfFirstGridPoint": round(longitude * _MICRO),
        "LaD": round(float(projection["+lat_0"]) * _MICRO),
        "LoV": round(float(projection["+lon_0"]) % 360.0 * _MICRO),
        "Latin1": round(float(projection["+lat_1"]) * _MICRO),
        "Latin2": round(float(projection["+lat_2"]) * _MICRO),
        "Dx": round(dx * 1000),
        "Dy": round(dy * 1000),
    }


def _product_keys(product: Product, process: int) -> dict[str, int]:
    keys = {
        "parameterCategory": product.grib[1],
        "parameterNumber": product.grib[2],
        "typeOfGeneratingProcess": _FORECAST if product.derived is None else _ENSEMBLE_FORECAST,
        "generatingProcessIdentifier": process,
        "indicatorOfUnitForForecastTime": 1,
        "typeOfFirstFixedSurface": product.surface,
        "scaleFactorOfFirstFixedSurface": 0,
        "scaledValueOfFirstFixedSurface": product.level,
        "typeOfSecondFixedSurface": _MISSING,
    }
    if product.top is not None:
        keys |= {
            "typeOfSecondFixedSurface": product.surface,
            "scaleFactorOfSecondFixedSurface": 0,
            "scaledValueOfSecondFixedSurface": product.top,
        }
    if product.derived is not None:
        keys["derivedForecast"] = product.derived
    if product.template == _INTERVAL:
        keys |= {"typeOfStatisticalProcessing": _MAXIMUM, "indicatorOfUnitForTimeRange": 1}
    return keys


def _last_hour(init: datetime, lead: int) -> dict[str, int]:
    """The interval of an hourly maximum; at the initial time it is empty."""
    end = init + timedelta(hours=lead)
    return {
        "forecastTime": max(lead - 1, 0),
        "lengthOfTimeRange": min(lead, 1),
        "yearOfEndOfOverallTimeInterval": end.year,
        "monthOfEndOfOverallTimeInterval": end.month,
        "dayOfEndOfOverallTimeInterval": end.day,
        "hourOfEndOfOverallTimeInterval": end.hour,
        "minuteOfEndOfOverallTimeInterval": 0,
        "secondOfEndOfOverallTimeInterval": 0,
    }


def _pack(handle: int, values: np.ndarray, digits: int) -> None:
    """Complex packing of whole multiples of 10^-digits: exact, since no binary scale is needed."""
    whole = np.rint(values * 10.0**digits)
    # ecCodes takes the decimal scale into account only if it may choose the scales itself; given
    # just the bits that the range needs, it keeps this decimal scale and a binary one of zero.
    bits = int(np.ceil(np.log2(np.ptp(whole) + 1)))
    _set(handle, {"bitsPerValue": bits, "decimalScaleFactor": digits, "optimizeScaleFactor": 1})
    eccodes.codes_set_values(handle, np.ravel(whole / 10.0**digits))


def _set(handle: int, keys: Mapping[str, int]) -> None:
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
