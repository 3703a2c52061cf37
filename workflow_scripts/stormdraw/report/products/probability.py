"""The share of members with an event, in per cent, one product a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stormdraw.report.product import Product
from stormdraw.scores.threshold import Limit, Threshold
from stormdraw.variables import variable

# Code table 4.9.
_ABOVE_LOWER_LIMIT, _BELOW_UPPER_LIMIT = 3, 4

_FINEST_SCALE = 5


@dataclass(frozen=True)
class Probability(Product):
    """The share of members that reach threshold number `place` (from 1) of `count`."""

    threshold: Threshold
    place: int
    count: int

    label = "probability"
    ending = "prob"
    words = "share of members"
    templates = (5, 9)
    generating_process = 5
    same_quantity = False
    units = "%"
    digits = 1

    @classmethod
    def of(cls, name: str, members: int, thresholds: Sequence[Threshold]) -> list[Product]:
        count = len(thresholds)
        return [cls(name, members, one, place, count) for place, one in enumerate(thresholds, 1)]

    @property
    def in_netcdf(self) -> str:
        """REFC_probability_30, CIN_probability_minus_50, VIS_probability_at_most_1000."""
        limit = self.threshold.text.replace("<=", "at_most_").replace("-", "minus_")
        return f"{self.name}_{self.label}_{limit}"

    @property
    def long_name(self) -> str:
        return f"{self.words} of {self.threshold.words(variable(self.name).units)}"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        limit = Limit(self.threshold, self.threshold.number)
        shares = sum(limit.reached(member) for member in members) / len(members)
        return 100.0 * np.asarray(shares)

    def grib_keys(self) -> dict[str, int]:
        scale, scaled = scaled_limit(self.threshold.number)
        kind, limit = _ABOVE_LOWER_LIMIT, "LowerLimit"
        if self.threshold.at_most:
            kind, limit = _BELOW_UPPER_LIMIT, "UpperLimit"
        return {
            "typeOfGeneratingProcess": self.generating_process,
            "forecastProbabilityNumber": self.place,
            "totalNumberOfForecastProbabilities": self.count,
            "probabilityType": kind,
            f"scaleFactorOf{limit}": scale,
            f"scaledValueOf{limit}": scaled,
        }

    @property
    def inventory_ending(self) -> str:
        beyond = "<" if self.threshold.at_most else ">"
        return f"prob {beyond}{self.threshold.number:g}:prob fcst {self.place}/{self.count}"


def scaled_limit(threshold: float) -> tuple[int, int]:
    """(scale, scaled value) such that the threshold equals scaled value x 10^-scale.

    The threshold is rounded to five decimals, so that 10,000 J/kg still fits into four octets.
    """
    for scale in range(_FINEST_SCALE):
        scaled = threshold * 10**scale
        if abs(scaled - round(scaled)) < 1e-9 * max(1.0, abs(scaled)):
            return scale, round(scaled)
    return _FINEST_SCALE, round(threshold * 10**_FINEST_SCALE)


PRODUCT = Probability
