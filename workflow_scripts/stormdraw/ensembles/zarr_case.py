"""Writes a case of an ensemble as a small Zarr store, which `zarr_store` puts into a larger one.

members of a variable                 (init_time, number, lead_time, y, x) float32
mean and spread, if only these are known          (init_time, lead_time, y, x) float32
init_time, valid_time                 int64 hours since 1970
lead_time                             int32 hours
number                                int32, in the order of the case's file
x, y, latitude, longitude, projection             as in the NetCDF file
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec

from stormdraw.ensembles.export import BYTES_AT_ONCE
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import TIME_ENCODING, leads_of
from stormdraw.fields.packing import Packing
from stormdraw.grids import Grid
from stormdraw.provenance import digest

# The coordinate of so many initial times is a file.
_TIMES_OF_A_FILE = 2**14

# Values that were packed with 16 bits take hardly more than 16 bits.
_COMPRESSION = BloscCodec(cname="zstd", clevel=1, shuffle="shuffle")

_DIMENSIONS = {"member": "number", "lead": "lead_time"}
_TIMES = {name: TIME_ENCODING[name] for name in ("units", "calendar")}
_OF_THE_FILE = {"_FillValue", "scale_factor", "add_offset"}
# What a file says of its system; anything else is of its case.
_OF_THE_SYSTEM = {
    *("Conventions", "title", "source", "history", "system", "method", "distribution"),
    *("stormdraw_version", "stormdraw_commit", "settings", "settings_hash"),
}
# The attribute that tells whether a case belongs into a store.
LAYOUT = "stormdraw_layout"


def write_case(ensemble: Path, folder: Path, members: int) -> None:
    """Write an ensemble file as a Zarr store of one initial time into an empty folder.

    `members` is how many the store has room for; missing ones are NaN. Raises StormdrawError if the
    file has more.
    """
    opened = xr.open_dataset(
        ensemble, engine="netcdf4", decode_timedelta=False, mask_and_scale=False
    )
    with opened as file, warnings.catch_warnings():
        # All readers named in the documentation know it.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        there = file.sizes.get("member", 0)
        if there > members:
            raise StormdrawError(
                f"{ensemble}: has {there} members, but the configuration has {members} at most; "
                "delete the file to make it again"
            )
        group = zarr.open_group(folder, mode="w", zarr_format=3)
        group.attrs.update(_description(file, members))
        _write_coordinates(group, file, members)
        for name in file.data_vars:
            _write_fields(group, str(name), file[name], members)
            # Even a variable that is missing everywhere takes the place of an earlier one.
            (folder / str(name) / "c" / "0").mkdir(parents=True, exist_ok=True)
        zarr.consolidate_metadata(group.store)


def _description(file: xr.Dataset, members: int) -> dict[str, Any]:
    """The attributes of the store. Those with the same layout have cases that belong together."""
    kept = {name: file.attrs[name] for name in _OF_THE_SYSTEM & set(file.attrs)}
    layout = (kept["settings_hash"], members, leads_of(file), list(file.data_vars), Grid.of(file))
    return {
        **kept,
        # Coordinates that no variable names.
        "coordinates": "projection",
        LAYOUT: digest(layout),
    }


def _write_coordinates(group: zarr.Group, file: xr.Dataset, members: int) -> None:
    init = file["init"].values.astype("datetime64[h]").astype(np.int64)
    leads = np.array(leads_of(file), np.int32)
    of_init = {**file["init"].attrs, **_TIMES}
    # So xarray reads it as a difference of times.
    of_lead = {**file["lead"].attrs, "units": "hours", "dtype": "timedelta64[ns]"}
    of_valid = {"standard_name": "time", "long_name": "valid time", **_TIMES}
    many = _TIMES_OF_A_FILE
    _write(group, "init_time", init[None], ["init_time"], of_init, (many,))
    _write(group, "lead_time", leads, ["lead_time"], of_lead)
    both = ["init_time", "lead_time"]
    _write(group, "valid_time", (init + leads)[None], both, of_valid, (many, len(leads)))
    if members:
        _write(group, "number", np.arange(members, dtype=np.int32), ["number"], file.member.attrs)
    for name, coordinate in Grid.of(file).coordinates().items():
        _write(group, name, coordinate.values, list(coordinate.dims), coordinate.attrs)


def _write(
    group: zarr.Group,
    name: str,
    values: np.ndarray,
    dimensions: list[Any],
    attributes: Mapping[str, Any],
    chunks: tuple[int, ...] | None = None,
) -> None:
    """Write a coordinate in one piece."""
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=chunks or values.shape,
        dimension_names=dimensions,
        attributes=_plain(attributes),
    )
    array[...] = values


def _write_fields(group: zarr.Group, name: str, stored: xr.DataArray, members: int) -> None:
    """Write a variable, one file after the other."""
    rows, columns = stored.sizes["y"], stored.sizes["x"]
    leads = stored.sizes["lead"]
    count = (members,) if "member" in stored.dims else ()
    bytes_of_a_lead = 4 * rows * columns * max(members, 1)
    # Each field is compressed alone and can be read alone. Those of all members are in one file, at
    # as many leads as fit, so that a year of cases is not a million files.
    together = min(leads, max(1, BYTES_AT_ONCE // bytes_of_a_lead))
    array = group.create_array(
        name,
        shape=(1, *count, leads, rows, columns),
        dtype="float32",
        chunks=(1, *(1 for _ in count), 1, rows, columns),
        shards=(1, *count, together, rows, columns),
        compressors=_COMPRESSION,
        fill_value=np.nan,
        dimension_names=["init_time", *(_DIMENSIONS.get(str(d), str(d)) for d in stored.dims)],
        attributes=_plain(
            {key: value for key, value in stored.attrs.items() if key not in _OF_THE_FILE}
            | {"coordinates": "latitude longitude valid_time"}
        ),
    )
    for first in range(0, leads, together):
        read = stored.isel(lead=slice(first, first + together))
        values = np.full((*count, *read.shape[-3:]), np.nan, np.float32)
        values[: len(read)] = _unpacked(read)
        array[0, ..., first : first + together, :, :] = values


def _unpacked(stored: xr.DataArray) -> np.ndarray:
    """The values of a variable of an ensemble file, float32."""
    values = stored.values
    if np.issubdtype(values.dtype, np.floating):
        return values
    return Packing.of(stored.attrs).unpack(values)


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON has them."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in attributes.items()
    }
