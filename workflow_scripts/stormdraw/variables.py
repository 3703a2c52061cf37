"""The table of variables: how each is found in GRIB, named, bounded, regridded and shown.

The rows are in `config/variables.yaml`. A configuration adds rows and changes columns under
`variable_table`. A process works on one run, so there is one table: `Settings` replaces it with
that of its configuration (`use_table`), and before that it holds the shipped rows.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import Description
from stormdraw.variable_row import Role, Variable
from stormdraw.variable_table import read_table


def computing(name: str) -> dict[str, Any]:
    """The columns of a row that decide what is in a file of fields or members."""
    return variable(name).model_dump(mode="json", exclude={"colours", "thresholds"})


# The rows of the run, in order. `use_table` changes what is in it, never the mapping itself.
VARIABLES: dict[str, Variable] = read_table()

# The state of a configuration that names none, whatever else the table has.
DEFAULT_STATE = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")

TERRAIN, LAND = "OROG", "LAND"


def use_table(own: Mapping[str, Any] | None) -> None:
    """Replace the table with the shipped rows and a configuration's `variable_table`.

    Raises StormdrawError as `read_table` does.
    """
    table = read_table(own)
    VARIABLES.clear()
    VARIABLES.update(table)


def names_of(*roles: Role) -> tuple[str, ...]:
    """The variables of some roles, in the order of the table."""
    return tuple(name for name, row in VARIABLES.items() if row.role in roles)


def _known(*roles: Role) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names_of(*roles):
            known = ", ".join(names_of(*roles))
            raise ValueError(
                f"unknown variable {name!r}: known ones are {known}; "
                "`variable_table` takes further rows"
            )
        return name

    return AfterValidator(check)


def _schema(*roles: Role) -> WithJsonSchema:
    described = f"one of {', '.join(names_of(*roles))}, or of a row under variable_table"
    return WithJsonSchema({"type": "string", "description": described})


# Derived variables, and what they are the length of. HREF's mean has only the speed of the wind.
PARTS: dict[str, tuple[str, str]] = {"WIND10": ("U10", "V10")}

# Names of the table as a configuration has them.
StateName = Annotated[str, _known("state"), _schema("state")]
ScoredName = Annotated[str, _known("state", "derived"), _schema("state", "derived")]
StaticName = Annotated[str, _known("static"), _schema("static")]


def scored_order(name: str) -> int:
    """The place of a scored variable in the order of the table, derived ones last."""
    return (*names_of("state"), *names_of("derived")).index(name)


def usual_thresholds() -> dict[str, list[float]]:
    """The thresholds of each variable that has some in the table."""
    return {name: list(row.thresholds) for name, row in VARIABLES.items() if row.thresholds}


def vectors() -> dict[str, str]:
    """The components along y of all vectors, by those along x."""
    return {name: row.y_component for name, row in VARIABLES.items() if row.y_component is not None}


def other_components() -> dict[str, str]:
    """The other component of each component of a vector."""
    pairs = vectors()
    return pairs | {y: x for x, y in pairs.items()}


def require_pairs(names: Collection[str]) -> None:
    """Raise ValueError for a component of a vector without the other."""
    for name, other in other_components().items():
        if name in names and other not in names:
            raise ValueError(
                f"give {name} and {other} together: a wind is rotated between grids as a pair"
            )


def variable(name: str) -> Variable:
    """The row of the table called `name`.

    Raises StormdrawError if there is none.
    """
    try:
        return VARIABLES[name]
    except KeyError:
        known = ", ".join(VARIABLES)
        raise StormdrawError(f"unknown variable {name!r}: known ones are {known}") from None


def scored_variables(state: list[str]) -> list[str]:
    """The variables a run scores: its state, and wind speed where both components are there."""
    return [*state, *(name for name in PARTS if name not in state and is_computed(name, state))]


def is_computed(name: str, names: Collection[str]) -> bool:
    """Whether a variable is computed of some of these."""
    return name in PARTS and set(PARTS[name]) <= set(names)


def identify(message: Description) -> Variable | None:
    """The row that a GRIB2 message matches, or None."""
    return next((row for row in VARIABLES.values() if row.grib.matches(message)), None)
