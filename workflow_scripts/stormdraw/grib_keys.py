"""The column `grib` of the table of variables: how a message and an inventory name a variable."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from stormdraw.section import Section

Processing = Literal["instantaneous", "accumulation", "maximum", "minimum"]

# How an inventory calls a surface, by its code (GRIB2 code table 4.5), as a regular expression.
_COLUMN = r"entire atmosphere(?: \(considered as a single layer\))?"
_SURFACES = {
    1: "surface",
    2: "cloud base",
    3: "cloud top",
    4: "0C isotherm",
    5: "level of adiabatic condensation from sfc",
    8: "top of atmosphere",
    10: _COLUMN,
    20: "{level} K level",
    100: "{level} mb",
    101: "mean sea level",
    102: "{level} m above mean sea level",
    103: "{level} m above ground",
    105: "{level} hybrid level",
    108: "{level} mb above ground",
    200: _COLUMN,
    # From 192 on, NCEP's own.
    204: "highest tropospheric freezing level",
    211: "boundary layer cloud layer",
    214: "low cloud layer",
    215: "cloud ceiling",
    224: "middle cloud layer",
    234: "high cloud layer",
    247: "equilibrium level",
}
# Surfaces of which there are many: a level says which one, and of some, two levels bound a layer.
_WITH_LAYERS = (100, 103, 108)
_WITH_LEVEL = (*_WITH_LAYERS, 20, 102, 105)
# GRIB2 gives pressures in Pa, inventories in hPa (which they call mb).
_PRESSURES, _PASCALS = (100, 108), 100

# GRIB2 code table 4.10, and what an inventory calls it.
PROCESSING_CODES: dict[Processing, int] = {"accumulation": 1, "maximum": 2, "minimum": 3}
_PROCESSING_WORDS: dict[Processing, str] = {
    "accumulation": "acc",
    "maximum": "max",
    "minimum": "min",
}
_HOURS_OF_A_DAY = 24

# GRIB2 code table 4.2: the wind along x and along y, or eastward and northward.
WIND_COMPONENTS = ((0, 2, 2), (0, 2, 3))


@dataclass(frozen=True)
class Description:
    """What a GRIB2 message says of its field, apart from time and grid.

    `parameter` is (discipline, category, number). A surface is (type of code table 4.5, value in
    GRIB2's units); `second_surface` is the other one of a layer. `processing` is a code of table
    4.10 and `hours` the length of its interval, both None for a point in time.
    """

    parameter: tuple[int, int, int]
    surface: tuple[int, float]
    second_surface: tuple[int, float] | None = None
    processing: int | None = None
    hours: float | None = None


class Grib(Section):
    """What a GRIB2 message of a variable says of itself.

    `discipline`, `category` and `number` are those of code table 4.2; `abbreviation` is what
    inventories call the variable. `surfaces` are the types of first fixed surface (code table 4.5)
    that are accepted, and `level` is the value on them: metres, hPa, K, or a number. A layer
    between two levels of one type has a `second_level` too, in the order of the messages.
    `statistic` over the last `hours` is that of code table 4.10.
    """

    discipline: Annotated[int, Field(ge=0, le=255)]
    category: Annotated[int, Field(ge=0, le=255)]
    number: Annotated[int, Field(ge=0, le=255)]
    abbreviation: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]
    surfaces: Annotated[tuple[Literal[tuple(_SURFACES)], ...], Field(min_length=1)]  # type: ignore[valid-type]
    level: Annotated[int, Field(ge=0)] = 0
    second_level: Annotated[int, Field(ge=0)] | None = None
    statistic: Processing = "instantaneous"
    hours: Annotated[int, Field(ge=1, le=24)] = 1

    @model_validator(mode="after")
    def _consistent(self) -> "Grib":
        if self.second_level is not None and {*self.surfaces} - {*_WITH_LAYERS}:
            raise ValueError(
                "second_level needs surfaces that bound layers, which are "
                f"{', '.join(map(str, _WITH_LAYERS))}"
            )
        if self.statistic == "instantaneous" and "hours" in self.model_fields_set:
            raise ValueError(
                f"hours is {self.hours}, but an instantaneous value has none; leave it out, or set "
                "statistic to accumulation, maximum or minimum"
            )
        return self

    @property
    def parameter(self) -> tuple[int, int, int]:
        """Discipline, category and number."""
        return self.discipline, self.category, self.number

    @property
    def instantaneous(self) -> bool:
        """Whether the values are of a point in time."""
        return self.statistic == "instantaneous"

    @property
    def first_surface(self) -> tuple[int, int]:
        """The type of the surface that messages are written for, and the level in GRIB2's units."""
        return self.surfaces[0], _coded(self.surfaces[0], self.level)

    @property
    def top(self) -> int | None:
        """The second level of a layer in GRIB2's units, of the same type as the first."""
        return None if self.second_level is None else _coded(self.surfaces[0], self.second_level)

    @property
    def inventory(self) -> str:
        """The variable and its level as a regular expression over a line of an inventory."""
        level = str(self.level)
        if self.second_level is not None:
            level = f"{level}-{self.second_level}"
        return f"{self.abbreviation}:{_SURFACES[self.surfaces[0]].format(level=level)}"

    def forecast_column(self, lead: int) -> str | None:
        """The time of a forecast of `lead` hours in an inventory, as wgrib2 writes it.

        None if the run is shorter than the interval of the statistic.
        """
        if self.instantaneous:
            return f"{lead} hour fcst" if lead else "anl"
        start = lead - self.hours
        if start < 0:
            return None
        unit, length = "hour", 1
        if start % _HOURS_OF_A_DAY == lead % _HOURS_OF_A_DAY == 0:
            unit, length = "day", _HOURS_OF_A_DAY
        word = _PROCESSING_WORDS[self.statistic]
        return f"{start // length}-{lead // length} {unit} {word} fcst"

    def lead_of(self, column: str) -> int | None:
        """The lead in hours of the time in an inventory; None if it is no time of this variable.

        A quarter of an hour is not, nor is a statistic over another interval.
        """
        if self.instantaneous:
            found = re.fullmatch(r"anl|(\d+) hour fcst", column)
            return int(found[1] or 0) if found else None
        found = re.fullmatch(r"\d+-(\d+) (hour|day) (?:acc|max|min) fcst", column)
        if not found:
            return None
        lead = int(found[1]) * (_HOURS_OF_A_DAY if found[2] == "day" else 1)
        return lead if column == self.forecast_column(lead) else None

    def matches(self, message: Description) -> bool:
        """Whether a message is of this variable."""
        surface, _ = message.surface
        if message.parameter != self.parameter or surface not in self.surfaces:
            return False
        own = self._message_on(surface)
        # Of the others there is one, whatever a message says of its level.
        return message == (own if surface in _WITH_LEVEL else replace(own, surface=message.surface))

    def same_messages(self, other: "Grib") -> bool:
        """Whether some message is of both."""
        return any(other.matches(self._message_on(surface)) for surface in self.surfaces)

    def same_place(self, other: "Grib") -> bool:
        """Whether both are of the same surface and level, and over the same time."""
        of_both = ("surfaces", "level", "second_level", "statistic", "hours")
        return all(getattr(self, key) == getattr(other, key) for key in of_both)

    def _message_on(self, surface: int) -> Description:
        second = None
        if self.second_level is not None:
            second = (surface, _coded(surface, self.second_level))
        hours = None if self.instantaneous else self.hours
        first = (surface, _coded(surface, self.level))
        processing = PROCESSING_CODES.get(self.statistic)
        return Description(self.parameter, first, second, processing, hours)


def _coded(surface: int, level: int) -> int:
    return level * _PASCALS if surface in _PRESSURES else level
