"""An ensemble file, the points that count and their areas, as xarray and pyproj read them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyproj
import xarray as xr

from stormdraw.variables import names_of

# How many values (members x points) are scored at once, in double precision and several copies.
VALUES_AT_ONCE = 2_000_000


def open_file(path: Path) -> xr.Dataset:
    """A NetCDF file; packed values are unpacked."""
    return xr.open_dataset(path, engine="netcdf4", decode_timedelta=False)


class Forecast:
    """A variable at a lead; `members` is the number of those with any value, 0 of mean and spread.

    A negative spread counts as missing.
    """

    def __init__(self, ensemble: xr.Dataset, name: str, lead: int) -> None:
        of_members = name in ensemble
        names = [name] if of_members else [f"{name}_mean", f"{name}_spread"]
        self._parts = [ensemble[one].sel(lead=lead).transpose(..., "y", "x") for one in names]
        rows, columns = self._parts[0].sizes["y"], self._parts[0].sizes["x"]
        width = columns * (self._parts[0].sizes["member"] if of_members else 2)
        together = max(1, VALUES_AT_ONCE // width)
        self._bands = [slice(first, first + together) for first in range(0, rows, together)]
        self.members = 0
        if of_members:
            self._parts = [self._with_values(self._parts[0])]
            self.members = self._parts[0].sizes["member"]
        else:
            self._parts[1] = self._parts[1].where(self._parts[1] >= 0.0)

    def bands(self) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Some rows of the grid after others, and the members (member, y, x) or mean and spread
        (y, x) there."""
        for rows in self._bands:
            yield rows, [part.isel(y=rows).values for part in self._parts]

    def _with_values(self, members: xr.DataArray) -> xr.DataArray:
        known = np.zeros(members.sizes["member"], bool)
        for rows in self._bands:
            known |= np.isfinite(members.isel(y=rows).values).any(axis=(1, 2))
            if known.all():
                return members
        return members.isel(member=np.flatnonzero(known))


def variables_of(ensemble: xr.Dataset) -> list[str]:
    """The scored variables of a file, as members or as mean and spread."""
    return [
        name
        for name in names_of("state", "derived")
        if name in ensemble or {f"{name}_mean", f"{name}_spread"} <= set(ensemble.data_vars)
    ]


def points_in_common(path: Path, name: str, lead: int, shape: tuple[int, int]) -> np.ndarray:
    """Where no reference and no baseline lacks a variable at a lead, bool (y, x)."""
    with open_file(path) as file:
        if name not in file["variable"].values:
            return np.ones(shape, bool)
        number = int(file["mask"].sel(variable=name, lead=lead))
        return file["points"].isel(number=number).values.astype(bool)


def areas(ensemble: xr.Dataset) -> np.ndarray:
    """The area of the Earth at each point (y, x), by PROJ from the file's CF grid mapping.

    Where a map enlarges areas by s, its cells show 1 / s.
    """
    crs = pyproj.CRS.from_cf(ensemble["projection"].attrs)
    degrees = ensemble["longitude"].values, ensemble["latitude"].values
    return 1.0 / np.asarray(pyproj.Proj(crs).get_factors(*degrees).areal_scale)
