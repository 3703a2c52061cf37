"""The table of variables: how each is found in GRIB, named, bounded and transformed.

A new variable is a new row, below those of its role: the order of the rows is that of the channels.
"""

from dataclasses import dataclass
from typing import Literal

from stormdraw.errors import StormdrawError

Transform = Literal["identity", "signed_sqrt"]

# States consist of variables of the role `state`; `derived` ones are computed from these, and
# `static` ones never change.
Role = Literal["state", "derived", "static"]


@dataclass(frozen=True)
class Variable:
    """One row of the table.

    `grib` is (discipline, parameterCategory, parameterNumber); `surfaces` are the accepted
    typeOfFirstFixedSurface codes (GRIB2 code table 4.5) and `level` the value on that surface.
    `inventory` is the variable and level as a regular expression over an inventory line
    (`:REFC:entire atmosphere:`). `lower` and `upper` are physical bounds in `units`; `floor` is the
    value that means "nothing there", which must not be averaged with neighbouring points. `decibel`
    is true for logarithmic values, which are averaged as power. `precision` is the step of the
    archive's packing.
    """

    name: str
    long_name: str
    units: str
    grib: tuple[int, int, int]
    surfaces: tuple[int, ...]
    level: int
    inventory: str
    lower: float
    upper: float
    precision: float
    standard_name: str | None = None
    floor: float | None = None
    decibel: bool = False
    transform: Transform = "identity"
    role: Role = "state"

    @property
    def gaussian(self) -> bool:
        """Whether members spread about their mean much as a Gaussian does, at any value of it:
        nothing lies at a floor, and no transform is needed.

        Of such a variable alone the departure from the mean may be multiplied: that of a storm
        would make it stronger.
        """
        return self.floor is None and self.transform == "identity"

    def inventory_pattern(self, lead: int) -> str:
        """A regular expression for this variable, instantaneous at `lead` hours.

        The forecast column must be exactly `anl` or `N hour fcst`, which excludes hourly maxima
        (`0-1 hour max fcst`) and sub-hourly steps (`15 min fcst`).
        """
        forecast = "(?:anl|0 hour fcst)" if lead == 0 else f"{lead} hour fcst"
        return f":{self.inventory}:{forecast}:"


_VERTICAL_COLUMN = r"entire atmosphere(?: \(considered as a single layer\))?"
_ENTIRE_ATMOSPHERE = (10, 200)
_ABOVE_GROUND = (103,)
_SURFACE = (1,)

_TABLE = (
    Variable(
        name="REFC",
        long_name="composite radar reflectivity",
        units="dBZ",
        grib=(0, 16, 196),
        surfaces=_ENTIRE_ATMOSPHERE,
        level=0,
        inventory=f"REFC:{_VERTICAL_COLUMN}",
        lower=-10.0,
        upper=80.0,
        precision=0.1,
        floor=-10.0,
        decibel=True,
    ),
    Variable(
        name="T2M",
        long_name="2 m air temperature",
        standard_name="air_temperature",
        units="K",
        grib=(0, 0, 0),
        surfaces=_ABOVE_GROUND,
        level=2,
        inventory="TMP:2 m above ground",
        lower=213.0,
        upper=333.0,
        precision=0.1,
    ),
    Variable(
        name="D2M",
        long_name="2 m dew point temperature",
        standard_name="dew_point_temperature",
        units="K",
        grib=(0, 0, 6),
        surfaces=_ABOVE_GROUND,
        level=2,
        inventory="DPT:2 m above ground",
        lower=213.0,
        upper=313.0,
        precision=0.1,
    ),
    Variable(
        name="U10",
        long_name="10 m wind along the grid's x axis",
        standard_name="x_wind",
        units="m s-1",
        grib=(0, 2, 2),
        surfaces=_ABOVE_GROUND,
        level=10,
        inventory="UGRD:10 m above ground",
        lower=-75.0,
        upper=75.0,
        precision=0.1,
    ),
    Variable(
        name="V10",
        long_name="10 m wind along the grid's y axis",
        standard_name="y_wind",
        units="m s-1",
        grib=(0, 2, 3),
        surfaces=_ABOVE_GROUND,
        level=10,
        inventory="VGRD:10 m above ground",
        lower=-75.0,
        upper=75.0,
        precision=0.1,
    ),
    Variable(
        name="CAPE",
        long_name="surface-based convective available potential energy",
        standard_name="atmosphere_convective_available_potential_energy_wrt_surface",
        units="J kg-1",
        grib=(0, 7, 6),
        surfaces=_SURFACE,
        level=0,
        inventory="CAPE:surface",
        lower=0.0,
        upper=10000.0,
        precision=10.0,
        floor=0.0,
        transform="signed_sqrt",
    ),
    Variable(
        name="CIN",
        long_name="surface-based convective inhibition",
        standard_name="atmosphere_convective_inhibition_wrt_surface",
        units="J kg-1",
        grib=(0, 7, 7),
        surfaces=_SURFACE,
        level=0,
        inventory="CIN:surface",
        lower=-2000.0,
        upper=0.0,
        precision=1.0,
        floor=0.0,
        transform="signed_sqrt",
    ),
    Variable(
        name="WIND10",
        long_name="10 m wind speed",
        standard_name="wind_speed",
        units="m s-1",
        grib=(0, 2, 1),
        surfaces=_ABOVE_GROUND,
        level=10,
        inventory="WIND:10 m above ground",
        lower=0.0,
        upper=106.0,
        precision=0.1,
        role="derived",
    ),
    Variable(
        name="OROG",
        long_name="surface altitude of the model terrain",
        standard_name="surface_altitude",
        units="m",
        grib=(0, 3, 5),
        surfaces=_SURFACE,
        level=0,
        inventory="HGT:surface",
        lower=-500.0,
        upper=9000.0,
        precision=0.1,
        role="static",
    ),
)

VARIABLES: dict[str, Variable] = {variable.name: variable for variable in _TABLE}


def _names(role: Role) -> tuple[str, ...]:
    return tuple(row.name for row in _TABLE if row.role == role)


# In the order of a state's channels.
STATE_VARIABLES = _names("state")

# Wind speed is derived from U10 and V10, since HREF's mean has only the speed.
DERIVED_VARIABLES = _names("derived")

STATIC_VARIABLES = _names("static")
TERRAIN = "OROG"

# The default state, whatever else the table has.
DEFAULT_STATE = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")


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
    """The scored variables of a run: its state, and wind speed if it has both components."""
    return [*state, "WIND10"] if {"U10", "V10"} <= set(state) else list(state)


def identify(
    discipline: int, category: int, number: int, surface: int, level: float
) -> Variable | None:
    """The row that matches a GRIB2 message's header, or None. The message must not be a layer."""
    for row in _TABLE:
        # A column has no level; for other surfaces the level distinguishes 2 m from 10 m.
        right_level = row.surfaces == _ENTIRE_ATMOSPHERE or row.level == level
        if row.grib == (discipline, category, number) and surface in row.surfaces and right_level:
            return row
    return None
