"""Writes CF NetCDF one field at a time, so that memory does not grow with the file."""

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np
import xarray as xr

from stormdraw.fields.packing import MISSING, packing_of
from stormdraw.fields.settings import Store
from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.variables import variable

# The compact store rounds to 2^-7, an eighth of HRRR's packing step of 1/16 for temperatures, winds
# and reflectivities.
_KEPT_DIGITS = 2
# Rows per band: a training crop reads a few bands, not the whole field.
_BAND_ROWS = 64

TIME_ENCODING = {"units": "hours since 1970-01-01", "dtype": "int64", "calendar": "standard"}


@contextlib.contextmanager
def written_in_parts(
    path: Path,
    grid: Grid,
    leading: Mapping[str, xr.DataArray],
    variables: Mapping[str, str],
    attributes: Mapping[str, Any],
    store: Store | Literal["packed"] = "fast",
) -> Iterator[dict[str, netCDF4.Variable]]:
    """Yield the variables of a new file, each float32 (*leading, y, x) and not yet filled.

    `variables` maps names in the file to rows of the table of variables. The `fast` store is
    contiguous and uncompressed, so that states are read at the speed of the disk. The `compact`
    store is rounded to the archive's precision and deflated, in bands of rows. The `packed` store
    is like the fast one, but filled with the 16-bit numbers of `stormdraw.fields.packing`. The file
    gets its name when the block succeeds.
    """
    skeleton = xr.Dataset(coords={**leading, **grid.coordinates()}, attrs=dict(attributes))
    # CF does not allow missing values in coordinates, but xarray would declare one.
    encoding: dict[Hashable, dict[str, Any]] = {
        name: {"_FillValue": None} for name in skeleton.coords
    }
    for name, coordinate in skeleton.coords.items():
        if np.issubdtype(coordinate.dtype, np.datetime64):
            encoding[name] |= TIME_ENCODING
            coordinate.attrs["units_metadata"] = "leap_seconds: none"
    with replacing(path) as temporary:
        skeleton.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        with netCDF4.Dataset(temporary, "a") as dataset:
            dataset.set_fill_off()
            dimensions = (*(name for name in leading if leading[name].dims == (name,)), "y", "x")
            yield {
                name: _create(dataset, name, row, dimensions, store)
                for name, row in variables.items()
            }


def _create(
    dataset: netCDF4.Dataset,
    name: str,
    row: str,
    dimensions: Sequence[str],
    store: Store | Literal["packed"],
) -> netCDF4.Variable:
    packed = store == "packed"
    created = dataset.createVariable(
        name,
        "u2" if packed else "f4",
        dimensions,
        fill_value=MISSING if packed else np.float32(np.nan),
        **_storage(dataset, dimensions, store),
    )
    created.setncatts(variable_attributes(row))
    if packed:
        packing = packing_of(row)
        created.setncatts({"scale_factor": packing.step, "add_offset": packing.offset})
        created.set_auto_maskandscale(False)
    return created


def _storage(
    dataset: netCDF4.Dataset, dimensions: Sequence[str], store: Store | Literal["packed"]
) -> dict[str, Any]:
    # A dimension of length 0 is unlimited, and then there is nothing to lay out.
    if any(dataset.dimensions[name].isunlimited() for name in dimensions):
        return {}
    if store != "compact":
        return {"contiguous": True}
    height, width = (dataset.dimensions[name].size for name in dimensions[-2:])
    leading = [1] * (len(dimensions) - 2)
    return {
        "chunksizes": (*leading, min(height, _BAND_ROWS), width),
        "compression": "zlib",
        "complevel": 1,
        "shuffle": True,
        "least_significant_digit": _KEPT_DIGITS,
    }


def variable_attributes(name: str) -> dict[str, str]:
    """The CF attributes of a variable of the table."""
    row = variable(name)
    attributes = {
        "long_name": row.long_name,
        "units": row.units,
        "grid_mapping": "projection",
        "coordinates": "latitude longitude",
    }
    if not row.grib.instantaneous:
        # CF's names of methods, and a period that its own time coordinate cannot say.
        method = "sum" if row.grib.statistic == "accumulation" else row.grib.statistic
        attributes["cell_methods"] = f"time: {method} (comment: over the last {row.grib.hours} h)"
    if row.units == "K":
        attributes["units_metadata"] = "temperature: on_scale"
    if row.standard_name:
        attributes["standard_name"] = row.standard_name
    return attributes


def lead_coordinate(leads: Sequence[int]) -> xr.DataArray:
    """Lead times in hours."""
    return xr.DataArray(
        np.array(leads, dtype=np.int32),
        dims="lead",
        attrs={
            "standard_name": "forecast_period",
            "long_name": "time since the initial time",
            "units": "h",
        },
    )


def leads_of(data: xr.Dataset | xr.DataArray) -> list[int]:
    """The leads of forecasts, or of their scores, in hours."""
    return [int(lead) for lead in data["lead"].values]


def init_coordinate(init: datetime) -> xr.DataArray:
    """The initial time as a scalar."""
    return xr.DataArray(
        np.datetime64(init, "ns"), attrs={"standard_name": "forecast_reference_time"}
    )
