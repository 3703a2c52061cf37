"""Reads the rows of the table of variables: those of a file, and a configuration's own."""

import functools
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import WIND_COMPONENTS
from stormdraw.section import explain
from stormdraw.variable_row import REFLECTIVITY_COLOURS, Variable

# In a name, of the rows of several levels.
_LEVEL = "{level}"

SHIPPED = Path(__file__).parents[2] / "config" / "variables.yaml"


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
