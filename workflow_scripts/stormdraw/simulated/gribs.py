"""Fields as GRIB2 messages, encoded as by NCEP."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

import eccodes
import numpy as np

from stormdraw.grib_encoding import interval_keys, new_message, pack, set_keys, surface_keys
from stormdraw.grib_keys import PROCESSING_CODES
from stormdraw.grids import Grid
from stormdraw.messages import opened
from stormdraw.variables import variable

_INSTANT, _DERIVED = 0, 2

# The templates for a member of an ensemble, and over an interval.
_OF_A_MEMBER = {_INSTANT: 1}
_OVER_AN_INTERVAL = {0: 8, 1: 11, 2: 12}

# GRIB2 code tables 4.3, 4.6, 4.7 and 4.10.
_FORECAST, _ENSEMBLE_FORECAST = 2, 4
_POSITIVELY_PERTURBED = 3
_WEIGHTED_MEAN, _SPREAD = 1, 4
_MAXIMUM = PROCESSING_CODES["maximum"]

_PRESSURE_ABOVE_GROUND = 108


@dataclass(frozen=True)
class Product:
    """What a message holds, apart from grid, time and values.

    `grib` is (discipline, category, number). `top` is the upper level of a layer of the same
    surface type. `digits` are the decimal places kept, negative for tens. `template` is the GRIB2
    product definition at a point in time; `derived` is its code of an ensemble statistic.
    `processing` is the code of a statistic over the last `hours`.
    """

    grib: tuple[int, int, int]
    surface: int
    level: int
    digits: int
    top: int | None = None
    template: int = _INSTANT
    derived: int | None = None
    processing: int | None = None
    hours: int = 1

    @classmethod
    def of(cls, name: str) -> "Product":
        """The product of a variable of the table."""
        row = variable(name)
        digits = round(-np.log10(row.precision))
        return cls(
            row.grib.parameter,
            *row.grib.first_surface,
            digits,
            row.grib.top,
            processing=PROCESSING_CODES.get(row.grib.statistic),
            hours=row.grib.hours,
        )


def ensemble_product(name: str, statistic: str) -> Product:
    """The mean or spread of a variable, one digit more precise than the members."""
    single = Product.of(name)
    return replace(
        single,
        digits=single.digits + 1,
        template=_DERIVED,
        derived={"mean": _WEIGHTED_MEAN, "spread": _SPREAD}[statistic],
    )


# Messages of real files that must be ignored: the wrong level, the wrong layer, a maximum over the
# hour.
DECOYS = {
    "TMP:surface": Product((0, 0, 0), 1, 0, digits=1),
    "WIND:hourly maximum": Product((0, 2, 1), 103, 10, digits=1, processing=_MAXIMUM),
    "CAPE:180-0 mb": Product((0, 7, 6), _PRESSURE_ABOVE_GROUND, 18000, digits=-1, top=0),
    "CIN:180-0 mb": Product((0, 7, 7), _PRESSURE_ABOVE_GROUND, 18000, digits=0, top=0),
}


class Encoder(contextlib.ExitStack):
    """Writes messages on one grid, by one generating process (NCEP's table A).

    `perturbation` is the number of an ensemble member, if the messages declare one. Keeps a handle
    for each product, since making one costs as much as packing the values; a context manager that
    releases them.
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

        `members` is the size of the ensemble of a statistic.
        """
        handle = self._handle(product)
        times = {
            "dataDate": int(f"{init:%Y%m%d}"),
            "dataTime": int(f"{init:%H%M}"),
            "forecastTime": lead,
        }
        if product.processing is not None:
            times |= interval_keys(init, lead, product.hours, product.processing)
        if members is not None:
            times["numberOfForecastsInEnsemble"] = members
        set_keys(handle, times)
        pack(handle, values, product.digits)
        return eccodes.codes_get_message(handle)

    def _handle(self, product: Product) -> int:
        if product not in self._handles:
            message = _template(self.grid, self.process, product, self.perturbation)
            self._handles[product] = self.enter_context(opened(message))
        return self._handles[product]


def _template(grid: Grid, process: int, product: Product, perturbation: int | None) -> bytes:
    """A message that lacks only times and values."""
    template = product.template if perturbation is None else _OF_A_MEMBER[product.template]
    if product.processing is not None:
        template = _OVER_AN_INTERVAL[template]
    keys = _product_keys(product, process)
    if perturbation is not None:
        keys["typeOfEnsembleForecast"] = _POSITIVELY_PERTURBED
        keys["perturbationNumber"] = perturbation
    with new_message(grid, product.grib, template, keys) as handle:
        # The packing only applies once there are values.
        pack(handle, np.zeros(grid.shape), product.digits)
        return eccodes.codes_get_message(handle)


def _product_keys(product: Product, process: int) -> dict[str, int]:
    keys = {
        "typeOfGeneratingProcess": _FORECAST if product.derived is None else _ENSEMBLE_FORECAST,
        "generatingProcessIdentifier": process,
        **surface_keys(product.surface, product.level, product.top),
    }
    if product.derived is not None:
        keys["derivedForecast"] = product.derived
    return keys
