"""Writing CF NetCDF one field at a time, so that memory does not grow with the file."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.variables import variable

TIME_ENCODING = {"units": "hours since 1970-01-01", "dtype": "int64", "calendar": "standard"}


@contextlib.contextmanager
def written_in_parts(
    path: Path,
    grid: Grid,
    leading: Mapping[str, xr.DataArray],
    variables: Mapping[str, str],
    attributes: Mapping[str, Any],
) -> Iterator[dict[str, netCDF4.Variable]]:
    """Yield the variables of a new file, each float32 (*leading, y, x) and not yet filled.

    `variables` maps the name in the file to a row of the table of variables. Stored contiguously
    and uncompressed: reading a state is then as fast as the disk. The file takes its name when the
    block succeeds.
    """
    skeleton = xr.Dataset(coords={**leading, **grid.coordinates()}, attrs=dict(attributes))
    encoding = {
        name: dict(TIME_ENCODING)
        for name, coordinate in skeleton.coords.items()
        if np.issubdtype(coordinate.dtype, np.datetime64)
    }
    with replacing(path) as temporary:
        skeleton.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        with netCDF4.Dataset(temporary, "a") as dataset:
            dataset.set_fill_off()
            dimensions = (*(name for name in leading if leading[name].ndim), "y", "x")
            yield {name: _create(dataset, name, row, dimensions) for name, row in variables.items()}


def _create(
    dataset: netCDF4.Dataset, name: str, row: str, dimensions: Sequence[str]
) -> netCDF4.Variable:
    # A dimension without a point is an unlimited one, and then there is nothing to lay out.
    empty = any(dataset.dimensions[dimension].isunlimited() for dimension in dimensions)
    created = dataset.createVariable(
        name, "f4", dimensions, fill_value=np.float32(np.nan), contiguous=not empty
    )
    created.setncatts(variable_attributes(row))
    return created


def variable_attributes(name: str) -> dict[str, str]:
    """CF attributes of a variable of the table."""
    row = variable(name)
    attributes = {
        "long_name": row.long_name,
        "units": row.units,
        "grid_mapping": "projection",
        "coordinates": "latitude longitude",
    }
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


def init_coordinate(init: datetime) -> xr.DataArray:
    """The initial time, a scalar."""
    return xr.DataArray(
        np.datetime64(init, "ns"), attrs={"standard_name": "forecast_reference_time"}
    )
