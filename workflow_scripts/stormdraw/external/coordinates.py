"""Which coordinates of a dataset are times, members and places, by layout or by CF attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.external.settings import Layout
from stormdraw.units import amount

# CF's standard names of what a layout may name.
_STANDARD_NAMES = {
    "member": ("realization",),
    "lead": ("forecast_period",),
    "init": ("forecast_reference_time",),
    "valid": ("time",),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "y": ("projection_y_coordinate", "grid_latitude"),
    "x": ("projection_x_coordinate", "grid_longitude"),
}
# CF lets units alone say what is latitude and longitude (sections 4.1 and 4.2).
_UNITS = {
    "latitude": ("degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN"),
    "longitude": ("degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE"),
}

_AXES = {"x": "X", "y": "Y"}

_WHOLE_HOUR = 1e-4


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of one dataset, of a file that errors call `origin`."""

    dataset: xr.Dataset
    layout: Layout
    origin: str

    def find(self, role: str) -> xr.DataArray | None:
        """The coordinate of a role, which is a key of the layout; None if there is none.

        What the layout names comes first, then what CF's attributes say. Raises StormdrawError if
        these make several of one role.
        """
        named = getattr(self.layout, role)
        there = [name for name in named if self._has(name)] or self._by_attributes(role)
        if len(there) > 1 and not named:
            raise StormdrawError(
                f"{self.origin}: {', '.join(there)} could each be the {role}; name one under "
                f"layout.{role}"
            )
        return self._variable(there[0]) if there else None

    def _by_attributes(self, role: str) -> list[str]:
        """The variables that have the role by CF, but for those that the layout gives another."""
        claimed = {name for key in _STANDARD_NAMES for name in getattr(self.layout, key)}
        free = {
            str(name): variable.attrs
            for name, variable in self.dataset.variables.items()
            if name not in claimed
        }
        return (
            [name for name, said in free.items() if _standard_name(said) in _STANDARD_NAMES[role]]
            or [name for name, said in free.items() if said.get("units") in _UNITS.get(role, ())]
            or [name for name, said in free.items() if said.get("axis") == _AXES.get(role, "none")]
        )

    def _has(self, name: str) -> bool:
        return name in self.dataset.variables or name in self.dataset.dims

    def _variable(self, name: str) -> xr.DataArray:
        """A coordinate, or the numbers from 0 on of a dimension that has no values."""
        if name in self.dataset.variables:
            return self.dataset[name]
        return xr.DataArray(np.arange(self.dataset.sizes[name]), dims=name, name=name)

    def lead_hours(self, lead: xr.DataArray) -> np.ndarray:
        """The values of a lead coordinate in hours.

        Raises StormdrawError if they are no durations, or in no known unit.
        """
        values = lead.values
        if np.issubdtype(values.dtype, np.timedelta64):
            return values / np.timedelta64(1, "h")
        unit = lead.attrs.get("units", self.layout.lead_unit)
        if unit is None or not np.issubdtype(values.dtype, np.number):
            raise StormdrawError(
                f"{self.origin}: {lead.name} has no unit of time; say what its numbers count under "
                "layout.lead_unit, such as hour"
            )
        try:
            return values.astype(float) * amount(str(unit), "hour")
        except ValueError as error:
            raise StormdrawError(f"{self.origin}: {lead.name}: units: {error}") from None

    def times(self, coordinate: xr.DataArray) -> np.ndarray:
        """The values of a time coordinate, datetime64[s].

        Raises StormdrawError if they are no times of the usual calendar.
        """
        values = coordinate.values
        if not np.issubdtype(values.dtype, np.datetime64):
            raise StormdrawError(
                f"{self.origin}: {coordinate.name} holds {values.dtype} in units of "
                f"{coordinate.attrs.get('units', 'none')!r}; expected times, as in 'hours since "
                "1970-01-01' of the standard calendar"
            )
        # To the nearest second: days since the year 1, as float64, are off by some microseconds.
        return (values + np.timedelta64(500, "ms")).astype("datetime64[s]")

    def members(self, coordinate: xr.DataArray) -> list[int]:
        """The numbers of the members in a file.

        Raises StormdrawError if they are no whole numbers, or one is there twice.
        """
        values = np.atleast_1d(coordinate.values)
        try:
            # Digits as text are numbers too, such as "03".
            values = values.astype(float if values.dtype.kind in "iufSUO" else object)
            whole = bool((np.isfinite(values) & (values == np.rint(values))).all())
        except (TypeError, ValueError):
            whole = False
        if not whole:
            raise StormdrawError(
                f"{self.origin}: {coordinate.name} holds {_some(values)}; expected whole numbers "
                "of members"
            )
        numbers = [int(value) for value in values]
        require_once(numbers, self.origin, str(coordinate.name))
        return numbers


def _standard_name(attributes: Mapping[str, Any]) -> str:
    return str(attributes.get("standard_name", ""))


def require_once(numbers: list[int], origin: str, name: str) -> None:
    """Raise StormdrawError if a member is there twice."""
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise StormdrawError(
            f"{origin}: {name} holds member {', '.join(map(str, twice))} more than once; expected "
            "each member once"
        )


def index_of(wanted: float, values: np.ndarray, origin: str) -> int | None:
    """The place of a number of hours in values; None if it is not there.

    `origin` is what errors call the values. Raises StormdrawError if it is there twice.
    """
    near = np.abs(np.asarray(values, float) - wanted) < _WHOLE_HOUR
    return only_place(near, f"{wanted:g} hours", origin)


def index_of_time(wanted: datetime, values: np.ndarray, origin: str) -> int | None:
    """The place of a time in datetime64[s] values; otherwise as `index_of`."""
    time = np.datetime64(wanted, "s")
    return only_place(values == time, spelled(time), origin)


def only_place(matching: np.ndarray, wanted: str, origin: str) -> int | None:
    """Where the one true value is; None if there is none. `wanted` is what errors call it."""
    found = np.flatnonzero(matching)
    if found.size > 1:
        raise StormdrawError(f"{origin} holds {wanted} more than once; expected once")
    return int(found[0]) if found.size else None


def spelled(time: np.datetime64) -> str:
    """2026-06-08 06:00 UTC."""
    return f"{pd.Timestamp(time):%Y-%m-%d %H:%M} UTC"


def _some(values: np.ndarray) -> str:
    return ", ".join(map(str, values[:3])) + (", ..." if len(values) > 3 else "")
