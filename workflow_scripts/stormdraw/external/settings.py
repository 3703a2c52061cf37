"""Where files of others are, and how they are laid out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import BeforeValidator, Field, field_validator, model_validator

from stormdraw.external.paths import PathTemplate
from stormdraw.section import Section
from stormdraw.units import amount, convert
from stormdraw.variables import VARIABLES, names_of, variable

_PRESETS = Path(__file__).with_name("presets")

Format = Literal["zarr", "netcdf", "grib"]
_FORMATS: dict[str, Format] = {
    ".zarr": "zarr",
    ".nc": "netcdf",
    ".nc4": "netcdf",
    ".cdf": "netcdf",
    ".grib2": "grib",
    ".grb2": "grib",
    ".grib": "grib",
    ".grb": "grib",
}


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


# A name, or several of which the first is taken that the file has.
Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class ExternalVariable(Section):
    """What files of others call a variable.

    `name` is that of the array, or GRIB's shortName as ecCodes has it. `path` is what stands for
    `{variable}` in the path, `name` if left out. `at` selects the values of further dimensions,
    such as `{level: 850}`; of a GRIB message they are keys of ecCodes.
    """

    name: Annotated[str, Field(min_length=1)] | None = None
    path: Annotated[str, Field(min_length=1)] | None = None
    at: dict[str, int | float | str] = {}


def _with_name(given: Any) -> Any:
    return {"name": given} if isinstance(given, str) else given


class Layout(Section):
    """How files are laid out; what is left out is read from them by their CF attributes.

    `member`, `lead`, `init`, `valid`, `latitude`, `longitude`, `x` and `y` are names of dimensions
    or coordinates. `points` is the dimension of fields that are stored as a list of points, and
    `shape` (y, x) what that list is as rows and columns, if it is. `lead_unit`, `units` and `crs`
    hold where a file does not say: what one step of the lead is, such as `hour` or `15 minutes`,
    the units of variables, also where a file has a word that is no unit, and the map of x and y.
    Where a file has a map as well as latitudes and longitudes, `latitude` and `longitude` take the
    latter, unless `x`, `y` or `crs` are named too.
    `winds` says whether wind components follow the axes of the grid or the compass. `statistic`
    takes an ensemble's mean or spread, of GRIB2 template 4.2 or 4.12, in place of members.
    """

    format: Format | None = None
    member: Names = ()
    lead: Names = ()
    init: Names = ()
    valid: Names = ()
    y: Names = ()
    x: Names = ()
    latitude: Names = ()
    longitude: Names = ()
    points: Names = ()
    shape: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]] | None = None
    lead_unit: Annotated[str, Field(min_length=1)] | None = None
    crs: Annotated[str, Field(min_length=1)] | None = None
    winds: Literal["grid", "compass"] | None = None
    statistic: Literal["mean", "spread"] | None = None
    variables: dict[str, Annotated[ExternalVariable, BeforeValidator(_with_name)]] = {}
    units: dict[str, str] = {}

    @field_validator("lead_unit")
    @classmethod
    def _a_time(cls, unit: str | None) -> str | None:
        if unit is not None:
            amount(unit, "hour")
        return unit

    @field_validator("crs")
    @classmethod
    def _a_map(cls, crs: str | None) -> str | None:
        if crs is not None:
            # Here, since few configurations need it and it takes a while to import.
            import pyproj

            try:
                pyproj.CRS(crs)
            except pyproj.exceptions.CRSError as error:
                raise ValueError(f"{crs!r} is no map that PROJ knows: {error}") from None
        return crs

    @field_validator("variables", "units")
    @classmethod
    def _of_the_table(cls, given: dict[str, Any]) -> dict[str, Any]:
        unknown = [name for name in given if name not in VARIABLES]
        if unknown:
            known = ", ".join(names_of("state", "derived"))
            raise ValueError(
                f"unknown variable {', '.join(unknown)}: known ones are {known}; `variable_table` "
                "takes further rows"
            )
        return given

    @field_validator("units")
    @classmethod
    def _convertible(cls, given: dict[str, str]) -> dict[str, str]:
        for name, units in given.items():
            wanted = variable(name).units
            if units != wanted:
                try:
                    convert(np.zeros(1), units, wanted)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return given

    @property
    def told_by_places(self) -> bool:
        """Whether latitudes and longitudes tell the grid, also of files that have a map.

        They do if they are named, and neither the axes of a map nor a map.
        """
        return bool(self.latitude and self.longitude) and not (self.x or self.y or self.crs)

    def external_variable(self, name: str) -> ExternalVariable:
        """What the files call a variable: as we do, if the layout does not say."""
        return self.variables.get(name, ExternalVariable(name=name))

    def in_path(self, name: str) -> str:
        """What stands for `{variable}` in the path."""
        external = self.external_variable(name)
        return external.path or external.name or name


class ExternalFiles(Section):
    """Files of others: `path` with fields in braces, and their layout.

    Fields are `{name}`, `{variable}`, `{init}`, `{valid}`, `{lead}` and `{member}`, with a format
    as in Python: `{init:%Y%m%d%H}`, `{lead:03d}`. Those in the path say how many cases, leads and
    members are in a file. `preset` is the layout of a known program; keys of `layout` take the
    place of the preset's.
    """

    path: Annotated[str, Field(min_length=1)]
    preset: str | None = None
    layout: Layout = Layout()

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("preset") is None:
            return given
        layout = given.get("layout", {})
        if isinstance(layout, Layout):
            layout = layout.model_dump(exclude_unset=True)
        if not isinstance(layout, Mapping):
            return given
        return {**given, "layout": _merged(_preset(given["preset"]), layout)}

    @field_validator("path")
    @classmethod
    def _readable(cls, path: str) -> str:
        PathTemplate(path).check()
        return path

    @model_validator(mode="after")
    def _known_format(self) -> "ExternalFiles":
        _ = self.format
        return self

    @property
    def format(self) -> Format:
        """The format of the files, by the ending of the path if the layout does not say."""
        ending = Path(self.path.rstrip("/")).suffix
        found = self.layout.format or _FORMATS.get(ending)
        if found is None:
            raise ValueError(
                f"path ends in {ending or 'no ending'!r}, which is none of "
                f"{', '.join(_FORMATS)}; set layout.format to zarr, netcdf or grib"
            )
        return found


def preset_names() -> tuple[str, ...]:
    """The names of all presets."""
    return tuple(sorted(path.stem for path in _PRESETS.glob("*.yaml")))


def _preset(name: Any) -> dict[str, Any]:
    if name not in preset_names():
        raise ValueError(f"preset is {name!r}; known ones are {', '.join(preset_names())}")
    text = (_PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
    layout: dict[str, Any] = yaml.safe_load(text)
    # A preset may know variables that a run's table does not have.
    for key in ("variables", "units"):
        said = layout.get(key, {})
        layout[key] = {ours: said[ours] for ours in said if ours in VARIABLES}
    return layout


def _merged(preset: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of both, those of `own` in place of the preset's; of variables, name by name."""
    merged = {**preset, **own}
    for key in ("variables", "units"):
        if isinstance(own.get(key, {}), Mapping):
            merged[key] = {**preset[key], **own.get(key, {})}
    return merged
