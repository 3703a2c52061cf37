"""The grid that a GRIB2 header describes, and the storage order of its values."""

from collections.abc import Callable
from typing import Any

import eccodes
import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid, lambert, latitude_longitude, mercator, polar_stereographic

_SOUTH_POLE = 128  # the first bit of GRIB2 flag table 3.5


def read_grid(handle: int) -> Grid:
    """The grid of a message, rows from south to north and columns from west to east.

    Raises StormdrawError for an unknown kind of grid.
    """
    kind = _get(handle, "gridType")
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise StormdrawError(f"a message on a {kind} grid: only {known} grids can be read")
    return _READERS[kind](handle)


def can_be_read(handle: int) -> bool:
    """Whether `read_grid` knows the kind of grid of a message."""
    return _get(handle, "gridType") in _READERS


def in_map_order(handle: int, values: np.ndarray) -> np.ndarray:
    """A message's values, in storage order, as (y, x) of its `read_grid`.

    This is a view if the rows are stored from south to north, as HRRR's are.
    """
    shape = (_get(handle, "Ny"), _get(handle, "Nx"))
    by_columns = bool(_get(handle, "jPointsAreConsecutive"))
    field = values.reshape(shape[::-1] if by_columns else shape)
    if _get(handle, "alternativeRowScanning"):
        field[1::2] = field[1::2, ::-1].copy()
    if by_columns:
        field = field.T
    if _get(handle, "iScansNegatively"):
        field = field[:, ::-1]
    if not _get(handle, "jScansPositively"):
        field = field[::-1]
    return np.ascontiguousarray(field)


def _lambert(handle: int) -> Grid:
    return lambert(
        **_first_point(handle),
        shape=(_get(handle, "Ny"), _get(handle, "Nx")),
        spacing=_signed_spacing(handle, "DyInMetres", "DxInMetres"),
        central_longitude=_get(handle, "LoVInDegrees"),
        standard_parallels=(_get(handle, "Latin1InDegrees"), _get(handle, "Latin2InDegrees")),
        reference_latitude=_get(handle, "LaDInDegrees"),
        **_earth(handle),
    )


def _polar_stereographic(handle: int) -> Grid:
    south = bool(_get(handle, "projectionCentreFlag") & _SOUTH_POLE)
    return polar_stereographic(
        **_first_point(handle),
        shape=(_get(handle, "Ny"), _get(handle, "Nx")),
        spacing=_signed_spacing(handle, "DyInMetres", "DxInMetres"),
        central_longitude=_get(handle, "orientationOfTheGridInDegrees"),
        true_latitude=_get(handle, "LaDInDegrees"),
        south=south,
        **_earth(handle),
    )


def _mercator(handle: int) -> Grid:
    return mercator(
        **_first_point(handle),
        shape=(_get(handle, "Ny"), _get(handle, "Nx")),
        spacing=_signed_spacing(handle, "DjInMetres", "DiInMetres"),
        true_latitude=_get(handle, "LaDInDegrees"),
        **_earth(handle),
    )


def _latitude_longitude(handle: int) -> Grid:
    # From the corners, not the increments: a third of a degree is not a whole number of
    # microdegrees.
    south, north = sorted(
        _get(handle, f"latitudeOf{end}GridPointInDegrees") for end in ("First", "Last")
    )
    west, east = (_get(handle, f"longitudeOf{end}GridPointInDegrees") for end in ("First", "Last"))
    if _get(handle, "iScansNegatively"):
        west, east = east, west
    return latitude_longitude(
        west=west,
        east=east if east > west else east + 360.0,
        south=south,
        north=north,
        shape=(_get(handle, "Ny"), _get(handle, "Nx")),
        **_earth(handle),
    )


_READERS: dict[str, Callable[[int], Grid]] = {
    "lambert": _lambert,
    "regular_ll": _latitude_longitude,
    "polar_stereographic": _polar_stereographic,
    "mercator": _mercator,
}


def _first_point(handle: int) -> dict[str, float]:
    return {
        "first_latitude": _get(handle, "latitudeOfFirstGridPointInDegrees"),
        "first_longitude": _get(handle, "longitudeOfFirstGridPointInDegrees"),
    }


def _signed_spacing(handle: int, dy: str, dx: str) -> tuple[float, float]:
    """Distance in metres from the first row and column to the next, negative to south and west."""
    rows = 1 if _get(handle, "jScansPositively") else -1
    columns = -1 if _get(handle, "iScansNegatively") else 1
    return rows * float(_get(handle, dy)), columns * float(_get(handle, dx))


def _earth(handle: int) -> dict[str, float]:
    """The sphere's radius, or the ellipsoid's semi-axes, in metres."""
    if _get(handle, "earthIsOblate"):
        return {
            "radius": eccodes.codes_get_double(handle, "earthMajorAxisInMetres"),
            "polar_radius": eccodes.codes_get_double(handle, "earthMinorAxisInMetres"),
        }
    return {"radius": eccodes.codes_get_double(handle, "radius")}


def _get(handle: int, key: str) -> Any:
    return eccodes.codes_get(handle, key)
