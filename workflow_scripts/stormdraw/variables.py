"""The table of variables: how each is found in GRIB, named, bounded, regridded and shown.

The rows are in `config/variables.yaml`. A configuration adds rows and changes columns under
`variable_table`. A process works on one run, so there is one table: `Settings` replaces it with
that of its configuration (`use_table`), and before that it holds the shipped rows.
"""

import functools
import itertools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema, model_validator

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import WIND_COMPONENTS, Description, Grib
from stormdraw.section import Section, explain

# In a name, of the rows of several levels.
_LEVEL = "{level}"

SHIPPED = Path(__file__).parents[2] / "config" / "variables.yaml"

Transform = Literal["identity", "signed_sqrt", "log1p"]
# The products of a base model by what they hold: fields on single levels, on pressure levels, and
# on the model's own levels.
Product = Literal["sfc", "prs", "nat"]
Regridding = Literal["bilinear", "nearest", "conservative"]

# Of `colours`: those of radar displays (`stormdraw.report.field_colours`).
REFLECTIVITY_COLOURS = "reflectivity"

# States consist of variables of the role `state`; `derived` ones are computed from these, and
# `static` ones never change.
Role = Literal["state", "derived", "static"]


class Variable(Section):
    """One row of the table.

    `lower` and `upper` are physical bounds in `units`; `floor` is the bound that means "nothing
    there", which must not be interpolated between points. `decibel` is true for logarithmic values,
    which are averaged as power. `precision` is the step of the archive's packing. `product` is that
    of the base model which holds the variable. `y_component` names the y component of the vector
    whose x component this is. `colours` is a colour map of matplotlib, or `reflectivity`.
    `thresholds` are those of `scores.thresholds` where a configuration has no such key.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")]
    role: Role = "state"
    long_name: str
    standard_name: str | None = None
    units: str
    grib: Grib
    lower: float
    upper: float
    precision: Annotated[float, Field(gt=0)]
    floor: float | None = None
    regridding: Regridding = "bilinear"
    decibel: bool = False
    transform: Transform = "identity"
    product: Product = "sfc"
    y_component: str | None = None
    colours: str = "viridis"
    thresholds: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Variable":
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be less than upper ({self.upper:g})")
        if self.floor not in (None, self.lower, self.upper):
            raise ValueError(
                f"floor ({self.floor:g}) must be lower ({self.lower:g}) or upper ({self.upper:g})"
            )
        for value in self.thresholds:
            if not self.lower <= value <= self.upper:
                raise ValueError(
                    f"thresholds: {value:g} is not between lower ({self.lower:g}) and upper "
                    f"({self.upper:g})"
                )
        if self.floor is not None and self.regridding == "bilinear":
            raise ValueError(
                "regridding must be nearest where there is a floor, which is no value to "
                "interpolate, or conservative for amounts"
            )
        if self.decibel and self.regridding == "conservative":
            raise ValueError(
                "regridding must be nearest for decibels, which conservative would average as "
                "plain numbers"
            )
        if self.y_component is not None and self.regridding != "bilinear":
            raise ValueError("regridding must be bilinear for a vector, which is also rotated")
        if self.decibel and self.floor is None:
            raise ValueError("decibel needs a floor, the value of no power at all")
        return self

    @property
    def inventory(self) -> str:
        """The variable and its level as a regular expression over a line of an inventory."""
        return self.grib.inventory

    @property
    def gaussian(self) -> bool:
        """Whether members spread about their mean much as a Gaussian does, at any value of it:
        nothing lies at a floor, and no transform is needed.

        Of such a variable alone the departure from the mean may be multiplied: that of a storm
        would make it stronger.
        """
        return self.floor is None and self.transform == "identity"

    def inventory_pattern(self, lead: int) -> str:
        """A regular expression for this variable at `lead` hours.

        The forecast column must be exactly that of the row: `anl` or `N hour fcst` for a point in
        time, which excludes sub-hourly steps (`15 min fcst`), and `4-5 hour acc fcst` for the last
        hour, which excludes the sum over the run (`0-5 hour acc fcst`). No line has a statistic
        over more hours than the run has had.
        """
        column = self.grib.forecast_column(lead)
        if column is None:
            return "(?!)"
        return f":{self.inventory}:{'(?:anl|0 hour fcst)' if column == 'anl' else column}:"

    @property
    def shortest_lead(self) -> int:
        """The shortest lead, in hours, at which there is a value: an analysis has no last hour.

        The forecast of this lead is what learning and truth take in place of the analysis.
        """
        return 0 if self.grib.instantaneous else self.grib.hours


def read_table(own: Mapping[str, Any] | None = None, path: Path = SHIPPED) -> dict[str, Variable]:
    """The rows of a file, and of `own`: new ones, and columns that take the place of the file's.

    Raises StormdrawError with one line that names the file or `variable_table`, row and column.
    """
    shipped = _on_levels(_rows_of(path), str(path))
    table = {name: _row(name, columns, str(path)) for name, columns in shipped.items()}
    for name, columns in _on_levels(own or {}, "variable_table").items():
        table[name] = _own_row(name, shipped.get(name, {}), columns)
    origin = "variable_table" if own else str(path)
    _check_pairs(table, origin)
    _check_told_apart(table, origin)
    return table


@functools.cache
def _rows_of(path: Path) -> dict[str, Any]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StormdrawError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    found = rows if isinstance(rows, dict) else {}
    without = [name for name, columns in found.items() if not isinstance(columns, Mapping)]
    if not found or without:
        raise StormdrawError(
            f"{path}: {', '.join(map(str, without)) or 'the file'}: must have columns, as in "
            "T2M: {units: K, ...}"
        )
    return found


def _on_levels(rows: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """The rows, one for each level where a name has `{level}`.

    `levels` has columns by level that differ from those of all. `{level}` in a column is the level
    as well, which also goes into the column `grib`.
    """
    found: dict[str, Any] = {}
    for name, columns in rows.items():
        if _LEVEL not in str(name):
            found[name] = columns
            continue
        levels = columns.get("levels")
        if not _are_levels(levels) or not isinstance(columns.get("grib"), Mapping):
            raise StormdrawError(
                f"{origin}: {name}: levels must have columns by level, and grib keys of its own, "
                "where a name has {level}; as in levels: {850: {}, 500: {upper: 300}}"
            )
        for level, own in levels.items():
            row = {key: value for key, value in columns.items() if key != "levels"} | (own or {})
            row["grib"] = columns["grib"] | row["grib"] | {"level": level}
            found[name.replace(_LEVEL, str(level))] = {
                key: value.replace(_LEVEL, str(level)) if isinstance(value, str) else value
                for key, value in row.items()
            }
    return found


def _are_levels(levels: Any) -> bool:
    """Whether it has columns by level, or none, and in each of them `grib` has keys of its own."""
    if not isinstance(levels, Mapping):
        return False
    columns = [own for own in levels.values() if own is not None]
    return all(isinstance(own, Mapping) for own in columns) and all(
        isinstance(own.get("grib", {}), Mapping) for own in columns
    )


def _own_row(name: str, shipped: Mapping[str, Any], own: Mapping[str, Any]) -> Variable:
    grib = own.get("grib")
    if isinstance(grib, Mapping):
        own = {**own, "grib": {**shipped.get("grib", {}), **grib}}
    row = _row(name, {**shipped, **own}, "variable_table")
    if row.role == "derived" and not shipped:
        raise StormdrawError(
            f"variable_table: {name}: role is derived, but nothing would compute it; set it to "
            "state or static"
        )
    if shipped and row.role != shipped.get("role", "state"):
        raise StormdrawError(
            f"variable_table: {name}: role is {row.role}, but {shipped.get('role', 'state')} of "
            "the shipped row; leave it out, or add a row of another name"
        )
    if "colours" in own and row.colours != REFLECTIVITY_COLOURS:
        # Here, since it takes a while to import and few configurations need it.
        from matplotlib import colormaps

        if row.colours not in colormaps:
            raise StormdrawError(
                f"variable_table: {name}: colours is {row.colours!r}, which is no colour map of "
                f"matplotlib; take one of those, such as viridis, or {REFLECTIVITY_COLOURS}"
            )
    return row


def _row(name: Any, columns: Mapping[str, Any], origin: str) -> Variable:
    if "name" in columns:
        raise StormdrawError(
            f"{origin}: {name}: name is no column, since a row is called by its key; leave it out"
        )
    try:
        return Variable.model_validate({"name": name, **columns})
    except ValidationError as error:
        raise StormdrawError(f"{origin}: {name}: {explain(error)}") from None


def _check_pairs(table: Mapping[str, Variable], origin: str) -> None:
    """Raise StormdrawError for components that cannot be rotated together, or not at all."""
    paired: dict[str, str] = {}
    for name, row in table.items():
        if row.y_component is None:
            continue
        other = table.get(row.y_component)
        if other is None or other is row:
            raise StormdrawError(
                f"{origin}: {name}: y_component is {row.y_component}, which is no other row"
            )
        for component in (name, other.name):
            if component in paired:
                raise StormdrawError(
                    f"{origin}: {name}: y_component is {other.name}, but {component} is a "
                    f"component of the vector of {paired[component]} already; name another row"
                )
        paired |= {name: name, other.name: name}
        _check_alike(row, other, origin)
    for name, row in table.items():
        if row.grib.parameter in WIND_COMPONENTS and name not in paired:
            raise StormdrawError(
                f"{origin}: {name}: y_component is missing, and a wind is rotated between grids as "
                "a pair; in the row of the wind along x, name that of the wind along y"
            )


def _check_alike(row: Variable, other: Variable, origin: str) -> None:
    for column in ("role", "units", "lower", "upper", "floor", "regridding", "transform"):
        if getattr(row, column) != getattr(other, column):
            raise StormdrawError(
                f"{origin}: {row.name}: {column} is {getattr(row, column)!r}, but "
                f"{getattr(other, column)!r} of {other.name}, its y_component; a vector is "
                "rotated as a whole, so both must be the same"
            )
    if not row.grib.same_place(other.grib):
        raise StormdrawError(
            f"{origin}: {row.name}: grib is at another surface, level or statistic than that of "
            f"{other.name}, its y_component; a vector is rotated as a whole, so both must be the "
            "same"
        )


def _check_told_apart(table: Mapping[str, Variable], origin: str) -> None:
    for row, other in itertools.combinations(table.values(), 2):
        if row.grib.same_messages(other.grib):
            raise StormdrawError(
                f"{origin}: {other.name}: grib is that of {row.name}, so messages of the two "
                "cannot be told apart; change one of them"
            )


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
