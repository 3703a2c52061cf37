"""Percentiles of members, by linear interpolation between the nearest two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stormdraw.report.product import ENSEMBLE_FORECAST, Product
from stormdraw.scores.threshold import Threshold

_PERCENTS = (10, 50, 90)


@dataclass(frozen=True)
class Percentile(Product):
    """The value that `percent` of the members do not exceed (templates 4.6 and 4.10)."""

    percent: int

    label = "p"
    ending = "pctl"
    words = "percentile of members"
    templates = (6, 10)

    @classmethod
    def of(cls, name: str, members: int, thresholds: Sequence[Threshold]) -> list[Product]:
        return [cls(name, members, percent) for percent in _PERCENTS]

    @property
    def in_netcdf(self) -> str:
        """T2M_p10."""
        return f"{self.name}_{self.label}{self.percent}"

    @property
    def long_name(self) -> str:
        return f"{self.percent}th {self.words}"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        return np.asarray(np.percentile(members, self.percent, axis=0))

    def grib_keys(self) -> dict[str, int]:
        return {
            "typeOfGeneratingProcess": ENSEMBLE_FORECAST,
            "percentileValue": self.percent,
        }

    @property
    def inventory_ending(self) -> str:
        return f"{self.percent}% level"


PRODUCT = Percentile
