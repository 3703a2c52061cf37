"""A field of a GRIB2 file, as cfgrib and xarray read it."""

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.settings import Fields
from stormdraw.variable_row import Variable

# ecCodes' names of what is done with values over an interval.
_STEP_TYPES = {
    "instantaneous": "instant",
    "accumulation": "accum",
    "maximum": "max",
    "minimum": "min",
}
_NO_SURFACE = 255
# How far a point may be from that of the target grid, in its spacings. A block's centre is less
# than a hundredth from the mean of its points' degrees; a grid that is one point off is 1 away.
_SAME_POINT = 0.05
# The `compact` store keeps multiples of 2^-7 (netCDF's least_significant_digit of 2).
_STEPS_KEPT = 128.0


def read_field(path: Path, row: Variable, valid: datetime) -> xr.DataArray:
    """The only field of a variable in a file, float32 (y, x), with its latitudes and longitudes.

    Raises StormdrawError if cfgrib does not find one, or finds it valid at another time.
    """
    found = [field for keys in _keys(row) for field in _opened(path, keys).data_vars.values()]
    if len(found) != 1 or found[0].ndim != 2:
        raise StormdrawError(
            f"{path}: cfgrib finds {len(found)} fields of {row.name}, expected one (y, x); delete "
            f"{path.parent} and run again to fetch it"
        )
    at = found[0]["valid_time"].values.astype("datetime64[s]").item()
    if at != valid:
        raise StormdrawError(
            f"{path}: {row.name} is valid at {at:%Y-%m-%d %H:%M} UTC by cfgrib, expected "
            f"{valid:%Y-%m-%d %H:%M}; delete {path.parent} and run again to fetch it"
        )
    return found[0].load()


def _keys(row: Variable) -> list[dict[str, Any]]:
    """The keys of ecCodes that say which message it is, for each surface that it may be on."""
    grib = row.grib
    keys: dict[str, Any] = {
        "discipline": grib.discipline,
        "parameterCategory": grib.category,
        "parameterNumber": grib.number,
        "stepType": _STEP_TYPES[grib.statistic],
    }
    if grib.second_level is not None:
        keys |= {"topLevel": grib.level, "bottomLevel": grib.second_level}
    elif grib.level:
        keys |= {"level": grib.level, "typeOfSecondFixedSurface:int": _NO_SURFACE}
    return [keys | {"typeOfFirstFixedSurface:int": surface} for surface in grib.surfaces]


def _opened(path: Path, keys: dict[str, Any]) -> xr.Dataset:
    # No index beside the file, and no limit of a time step to what a timedelta holds.
    options = {"indexpath": "", "filter_by_keys": keys}
    return xr.open_dataset(path, engine="cfgrib", decode_timedelta=False, backend_kwargs=options)


def along_grid(field: xr.DataArray) -> bool:
    """Whether a wind component follows the axes of its grid, and not the compass."""
    return bool(field.attrs.get("GRIB_uvRelativeToGrid", 0))


def eastwards_and_northwards(field: xr.DataArray) -> bool:
    """Whether points are stored from west to east and rows from south to north, as HRRR's are.

    ecCodes 2.50 gives the degrees of Lambert grids in this order whatever that of the values is.
    """
    return bool(field.attrs["GRIB_jScansPositively"] and not field.attrs["GRIB_iScansNegatively"])


def on_target(
    field: xr.DataArray, row: Variable, fields: Fields, no_echo: float | None, like: xr.Dataset
) -> xr.DataArray:
    """A field of the archive's grid as float32 (y, x) on that of `like`, as config/README.md says.

    It is cut to `fields.crop`; reflectivity without echo is put at its floor; values beyond the
    bounds are missing, if configured; blocks of `fields.coarsen` points a side are averaged, of
    decibels their power; the `compact` store rounds.

    Raises StormdrawError if its points are then not those of `like`, by their degrees.
    """
    if fields.crop is not None:
        field = field.isel(y=slice(*fields.crop.rows), x=slice(*fields.crop.columns))
    if row.decibel and row.floor is not None:
        if no_echo is not None and no_echo > row.floor:
            field = field.where(~(field <= no_echo + row.precision / 2), np.float32(row.floor))
        field = field.clip(min=np.float32(row.floor))
    if fields.suspicious == "mask":
        within = (field >= row.lower - row.precision) & (field <= row.upper + row.precision)
        field = field.where(within)
    if fields.coarsen > 1:
        field = _block_means(field, row.decibel, fields.coarsen)
    _require_points_of(like, field, row.name)
    if fields.store == "compact":
        field = (field * _STEPS_KEPT).round() / _STEPS_KEPT
    return field.astype(np.float32)


def _block_means(field: xr.DataArray, decibel: bool, factor: int) -> xr.DataArray:
    if decibel:
        # In the precision of the file until the sum, as everywhere.
        field = field.copy(data=np.power(10.0, field.values / 10.0))
    blocks = field.astype(np.float64).coarsen(y=factor, x=factor, boundary="trim")
    means: xr.DataArray = blocks.mean()
    return means.copy(data=10.0 * np.log10(means.values)) if decibel else means


def _require_points_of(like: xr.Dataset, field: xr.DataArray, name: str) -> None:
    if field.shape != like["latitude"].shape:
        raise StormdrawError(
            f"{name}: by cfgrib its grid is {field.shape}, but that of the ensemble is "
            f"{like['latitude'].shape}; fields.crop and fields.coarsen must be those that the "
            "fields were made with"
        )
    north = field["latitude"].values - like["latitude"].values
    east = (field["longitude"].values - like["longitude"].values + 180.0) % 360.0 - 180.0
    apart = np.hypot(north, east * np.cos(np.deg2rad(like["latitude"].values)))
    spacing = float(np.abs(np.diff(like["latitude"].values, axis=0)).max())
    if not apart.max() <= _SAME_POINT * spacing:
        raise StormdrawError(
            f"{name}: by cfgrib a point of its grid is {apart.max():.3g} degrees from that of the "
            f"ensemble, whose points are {spacing:.3g} degrees apart: a grid is not read as the "
            "file describes it, please report this"
        )


def describe(fields: Fields) -> str:
    """Where a check that begins with GRIB2 starts from, in words."""
    parts = [f"GRIB2 by cfgrib {version('cfgrib')}"]
    if fields.crop is not None:
        parts.append("cropped")
    if fields.coarsen > 1:
        parts.append(f"means of {fields.coarsen} x {fields.coarsen} points")
    if fields.store == "compact":
        parts.append("rounded as stored")
    return ", ".join(parts)
