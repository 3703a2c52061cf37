"""Products: fields (y, x) that are made of all members at a lead, one kind a file in `products/`.

The file's `PRODUCT` says what the kind is called, how it is computed, and how NCEP encodes it in
the GRIB2 files of HREF and REFS. Nothing else knows what sets one kind apart from another.
"""

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stormdraw.report import products
from stormdraw.scores.threshold import Threshold
from stormdraw.variables import variable

# The star puts all kinds into the digest of every script that imports this module
# (`stormdraw.code_digest`).
_FILES = "stormdraw.report.products.*"

# GRIB2 code table 4.3, and 4.7 for a mean.
ENSEMBLE_FORECAST = 4
UNWEIGHTED_MEAN = 0


@dataclass(frozen=True)
class Product(ABC):
    """A product of the variable `name` from an ensemble of so many members.

    `label` follows the variable's name in the NetCDF file; `ending` is that of the GRIB2 file, as
    HREF's have it. `templates` are numbers of code table 4.0, at a point in time and over an
    interval. `cell_method` is CF's. `same_quantity` says whether the variable's standard name still
    holds. `units` are those of the variable if None.
    """

    name: str
    members: int

    label: ClassVar[str]
    ending: ClassVar[str]
    words: ClassVar[str]
    templates: ClassVar[tuple[int, int]] = (2, 12)
    generating_process: ClassVar[int] = ENSEMBLE_FORECAST
    derived_forecast: ClassVar[int] = UNWEIGHTED_MEAN
    cell_method: ClassVar[str | None] = None
    same_quantity: ClassVar[bool] = True
    units: ClassVar[str | None] = None

    @classmethod
    def of(cls, name: str, members: int, thresholds: Sequence[Threshold]) -> "list[Product]":
        """The products of this kind of a variable with some thresholds, none a percentile."""
        return [cls(name, members)]

    @classmethod
    def kind(cls) -> str:
        """The name of the kind: that of its file."""
        return cls.__module__.rpartition(".")[2]

    @property
    def in_netcdf(self) -> str:
        """The name in the NetCDF file."""
        return f"{self.name}_{self.label}"

    @property
    def long_name(self) -> str:
        """What the product is of the variable."""
        return self.words

    @abstractmethod
    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        """The product (y, x) of members (member, y, x); any value where `valid` (y, x) is False.

        `patch` is the width, in grid points, of the patches of a local product.
        """

    def grib_keys(self) -> dict[str, int]:
        """The keys of ecCodes that tell the product from others."""
        return {
            "typeOfGeneratingProcess": self.generating_process,
            "derivedForecast": self.derived_forecast,
            "numberOfForecastsInEnsemble": self.members,
        }

    @property
    @abstractmethod
    def inventory_ending(self) -> str:
        """The last columns of an inventory's line, as wgrib2 writes them."""

    @property
    def digits(self) -> int:
        """Decimal places to keep: one more than members have."""
        return round(-np.log10(variable(self.name).precision)) + 1


@functools.cache
def kinds() -> dict[str, type[Product]]:
    """The kinds of products by name."""
    names = [module.name for module in pkgutil.iter_modules(products.__path__)]
    return {name: importlib.import_module(_FILES.replace("*", name)).PRODUCT for name in names}


def products_of(name: str, members: int, thresholds: Sequence[Threshold]) -> list[Product]:
    """All products of a variable."""
    return [one for kind in kinds().values() for one in kind.of(name, members, thresholds)]
