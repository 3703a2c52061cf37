"""Events that are scored: a variable is at least, or at most, a threshold.

A configuration gives a threshold as a number (at least so much), or as a text: `<= 1000` (at most),
`p95` (at least the 95th percentile of the training times at each grid point) or `<= p5`.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_PATTERN = r"^\s*(>=|<=)?\s*(p)?\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$"


def as_written(number: float) -> float:
    """The number to the nine digits that tables have, where it must be found again; 0 for -0."""
    return float(f"{number:.9g}") + 0.0


@dataclass(frozen=True)
class Threshold:
    """What a configuration says of an event, whatever the variable.

    `number` is in the variable's units or, of a `percentile`, in per cent. A value of exactly the
    threshold has the event, whether that is at least or at most.
    """

    number: float
    at_most: bool = False
    percentile: bool = False

    @classmethod
    def parse(cls, given: Any) -> "Threshold":
        """The threshold that a configuration or a table gives. Raises ValueError if there is none.

        Numbers and texts are those at the top of this file.
        """
        found = re.match(_PATTERN, str(given))
        if found is None or not math.isfinite(float(found[3])):
            raise ValueError(
                f"{given!r} is no threshold: give a number, or a text such as '<= 1000', 'p95' "
                "or '<= p5'"
            )
        own = cls(as_written(float(found[3])), found[1] == "<=", found[2] is not None)
        if own.percentile and not 0.0 < own.number < 100.0:
            raise ValueError(f"{given!r}: a percentile is more than 0 and less than 100")
        return own

    @property
    def text(self) -> str:
        """How tables and files name it: 20, <=1000, p95 or <=p5."""
        return f"{'<=' if self.at_most else ''}{self._limit}"

    @property
    def given(self) -> float | str:
        """How a configuration gives it: as a number where that suffices."""
        return self.text if self.at_most or self.percentile else self.number

    def symbols(self, units: str = "") -> str:
        """For titles and labels: ≥ 20 dBZ, ≤ p5."""
        limit = self._limit.replace("-", "\N{MINUS SIGN}")
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {limit}" if self.percentile or not units else f"{sign} {limit} {units}"

    def words(self, units: str) -> str:
        """For sentences: at most 1000 m, at least the 95th percentile of climatology."""
        limit = f"{self._limit} {units}"
        if self.percentile:
            limit = f"the {_ordinal(self.number)} percentile of climatology"
        return f"at {'most' if self.at_most else 'least'} {limit}"

    @property
    def sign(self) -> int:
        """1, or -1 for at most: x is at most t where -x is at least -t."""
        return -1 if self.at_most else 1

    @property
    def order(self) -> tuple[bool, bool, float]:
        """What thresholds are sorted by: at least, then at most, numbers first, rarest last."""
        return self.at_most, self.percentile, self.sign * self.number

    @property
    def _limit(self) -> str:
        return f"{'p' if self.percentile else ''}{self.number:.9g}"


def _ordinal(number: float) -> str:
    """95 -> 95th, 99.9 -> 99.9th."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    teen = 11 <= number % 100 <= 13
    ending = "th" if teen or number != int(number) else endings.get(int(number) % 10, "th")
    return f"{number:.9g}{ending}"


# One entry of a list of thresholds, which stays as short as it was given where it is written.
GivenThreshold = Annotated[
    Threshold,
    BeforeValidator(Threshold.parse),
    PlainSerializer(lambda threshold: threshold.given, return_type=float | str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": _PATTERN}]}),
]


@dataclass(frozen=True)
class Limit:
    """A threshold of a variable, and its `value` at some points: one number, or one for each.

    At a point where the climatology has no value it is NaN, and there is no event.
    """

    threshold: Threshold
    value: float | np.ndarray

    @property
    def sign(self) -> int:
        """1 for at least, -1 for at most."""
        return self.threshold.sign

    def of(self, points: slice) -> "Limit":
        """That of some points of the flat grid."""
        if not isinstance(self.value, np.ndarray):
            return self
        return Limit(self.threshold, self.value.ravel()[points])

    def lower(self, points: tuple[int, ...], kind: np.dtype) -> np.ndarray:
        """The value that sign * x must reach for x to have the event, as `kind`, (*points).

        Members and truth hold their values so: a float32 of 273.15 is less than 273.15.
        """
        value = self.sign * np.asarray(self.value, kind)
        return np.ascontiguousarray(np.broadcast_to(value, points))

    def reached(self, values: np.ndarray) -> np.ndarray:
        """Whether each of the values, one for each point, has the event; NaN never has."""
        return np.asarray(self.sign * values >= self.lower(values.shape, values.dtype))


def limits_of(
    thresholds: Iterable[Threshold], percentile: Callable[[float], np.ndarray]
) -> list[Limit]:
    """The values of thresholds; `percentile` gives the field (y, x) of a percentile."""
    return [
        Limit(own, percentile(own.number) if own.percentile else own.number) for own in thresholds
    ]
