"""The section `archive.stations` of a configuration."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from stormdraw.section import Section
from stormdraw.units import require_convertible
from stormdraw.variables import names_of, require_pairs, variable

# What IEM's reports of airports have of the table of variables. Visibility is not among them: it
# ends at 10 miles. Wind speed is known of a variable wind too, which has no components.
STATION_VARIABLES = ("T2M", "D2M", "U10", "V10", "WIND10", "GUST", "MSLMA", "MSLP", "APCP")

# Who reported, when and where, as texts, times and numbers.
_IDENTITY = ("station", "network", "valid")
_PLACE = {"longitude": "degree", "latitude": "degree", "elevation": "m"}
_NEEDED = ("station", "valid", "longitude", "latitude")

# A wind as stations report it, and what is computed from it.
WIND_SPEED, WIND_DIRECTION = "wind_speed", "wind_direction"
_AS_REPORTED = {WIND_SPEED: "m s-1", WIND_DIRECTION: "degree"}
WIND = ("U10", "V10", "WIND10")


# A state of the USA, another country, or a province of one: its letters, and a second pair or none.
_NETWORK = re.compile(r"[A-Z]{2}_([A-Z]{2}_|_)?ASOS")


# A sensor is stuck that reports one value for so long: reports are needed from so long before.
STUCK_HOURS = 12


class Column(Section):
    """A column of a table of reports: its name, and the units of its numbers."""

    name: Annotated[str, Field(min_length=1)]
    units: str | None = None


def target_units(key: str) -> str | None:
    """The units that a quantity of a report is converted to; None if it is no number.

    Raises StormdrawError for a variable that is not in the table.
    """
    if key in _IDENTITY:
        return None
    return (_PLACE | _AS_REPORTED).get(key) or variable(key).units


# What IEM's service writes, and in which units.
IEM_COLUMNS: dict[str, Column] = {
    "station": Column(name="station"),
    "valid": Column(name="valid"),
    "longitude": Column(name="lon", units="degree"),
    "latitude": Column(name="lat", units="degree"),
    "elevation": Column(name="elevation", units="m"),
    WIND_DIRECTION: Column(name="drct", units="degree"),
    WIND_SPEED: Column(name="sknt", units="knot"),
    "T2M": Column(name="tmpf", units="degF"),
    "D2M": Column(name="dwpf", units="degF"),
    "GUST": Column(name="gust", units="knot"),
    "MSLMA": Column(name="mslp", units="hPa"),
    "MSLP": Column(name="mslp", units="hPa"),
    "APCP": Column(name="p01i", units="inch"),
}


class StationFiles(Section):
    """A folder of tables, CSV or Parquet, and what their columns are.

    Keys of `columns` are `station`, `network`, `valid`, `longitude`, `latitude`, `elevation`,
    `wind_speed`, `wind_direction`, and names of variables.
    """

    files: Annotated[str, Field(min_length=1)]
    columns: dict[str, Column]

    @field_validator("columns")
    @classmethod
    def _readable(cls, columns: dict[str, Column]) -> dict[str, Column]:
        known = (*_IDENTITY, *_PLACE, *_AS_REPORTED, *names_of("state", "derived"))
        for key, column in columns.items():
            if key not in known:
                raise ValueError(f"{key}: unknown; known ones are {', '.join(known)}")
            require_convertible(key, column.units, target_units(key))
        lacking = [key for key in _NEEDED if key not in columns]
        if lacking:
            raise ValueError(f"lacks {', '.join(lacking)}, without which no report has a place")
        given = [key for key in _AS_REPORTED if key in columns]
        if len(given) == 1:
            raise ValueError(
                f"has {given[0]} alone; give both of {', '.join(_AS_REPORTED)}, or none"
            )
        twice = [name for name in WIND if given and name in columns]
        if twice:
            raise ValueError(f"has {twice[0]}, which wind_speed gives as well; leave one out")
        require_pairs(columns)
        return columns

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that the files have, wind as its components."""
        names = [key for key in self.columns if key in names_of("state", "derived")]
        with_wind = WIND_SPEED in self.columns or "U10" in self.columns
        return tuple(dict.fromkeys((*names, *(WIND if with_wind else ()))))


def _kind_of_source(source: Any) -> str:
    return "files" if isinstance(source, dict | StationFiles) else "iem"


StationSource = Annotated[
    Annotated[Literal["iem"], Tag("iem")] | Annotated[StationFiles, Tag("files")],
    Discriminator(_kind_of_source),
]


_StationName = Annotated[str, Field(min_length=1)]


def _kind_of_exclusion(excluded: Any) -> str:
    return "names" if isinstance(excluded, list) else "file"


# Names of stations, or a file of such names.
Excluded = Annotated[
    Annotated[list[_StationName], Tag("names")] | Annotated[_StationName, Tag("file")],
    Discriminator(_kind_of_exclusion),
]


class Stations(Section):
    """Which stations are compared with, and where their reports come from.

    `networks` are IEM's, such as ID_ASOS. `exclude` names stations that are never used, or a file
    of such names. A report counts for the full hour that is at most `tolerance_minutes` away.
    """

    source: StationSource = "iem"
    networks: list[str] = []
    exclude: Excluded = []
    tolerance_minutes: Annotated[int, Field(ge=1, le=29)] = 15

    @field_validator("networks")
    @classmethod
    def _iems(cls, networks: list[str]) -> list[str]:
        for name in networks:
            if not _NETWORK.fullmatch(name):
                raise ValueError(
                    f"{name} is not the name of a network of airports, such as ID_ASOS, GB__ASOS "
                    "or CA_AB_ASOS"
                )
        if len(set(networks)) != len(networks):
            raise ValueError(f"give each network once: {', '.join(networks)}")
        return networks

    @model_validator(mode="after")
    def _networks_are_iems(self) -> "Stations":
        if isinstance(self.source, StationFiles) and self.networks:
            raise ValueError("networks are those of iem; leave them out where source is files")
        return self

    @property
    def tolerance(self) -> timedelta:
        """The longest time from a report to its full hour."""
        return timedelta(minutes=self.tolerance_minutes)

    @property
    def columns(self) -> dict[str, Column]:
        """The columns of the tables of reports."""
        return self.source.columns if isinstance(self.source, StationFiles) else IEM_COLUMNS

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that a report can have."""
        if isinstance(self.source, StationFiles):
            return self.source.variables
        return STATION_VARIABLES
