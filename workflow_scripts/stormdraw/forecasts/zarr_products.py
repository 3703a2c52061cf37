"""Products as a Zarr store of format 3, which xarray reads as it reads the NetCDF file."""

import warnings
from pathlib import Path

import xarray as xr
from zarr.codecs import BloscCodec

from stormdraw.fields.netcdf import TIME_ENCODING
from stormdraw.files import replacing_folder

_COMPRESSION = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")


def write_zarr(products: Path, store: Path) -> None:
    """Write the products of a case, each (lead, y, x), into a new folder.

    A field can be read alone; those of all leads are in one file. Raises StormdrawError if the disk
    is full.
    """
    with (
        xr.open_dataset(products, engine="netcdf4", decode_timedelta=False) as file,
        replacing_folder(store) as folder,
        warnings.catch_warnings(),
    ):
        # All readers named in the documentation know it.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        fields = {
            name: {
                "chunks": (1, *field.shape[1:]),
                "shards": field.shape,
                "compressors": _COMPRESSION,
            }
            for name, field in file.data_vars.items()
        }
        encoding = {**fields, "init": TIME_ENCODING}
        file.drop_encoding().to_zarr(folder, mode="w", zarr_format=3, encoding=encoding)
