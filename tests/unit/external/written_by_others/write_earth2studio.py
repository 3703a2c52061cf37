"""Writes what is in earth2studio.zip, by earth2studio 0.19's own writers.

python write_earth2studio.py FOLDER, where earth2studio, torch, zarr and netCDF4 are installed.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pyproj
import torch
from earth2studio.io.netcdf4 import NetCDF4Backend
from earth2studio.io.zarr import ZarrBackend

out = Path(sys.argv[1])
y, x = np.meshgrid(np.arange(4), np.arange(5), indexing="ij")


def value(member, lead):
    return (280 + member + lead / 10 + y / 100 + x / 1000).astype("f4")


times = np.array(["2026-06-08T06", "2026-06-08T12"], "datetime64[ns]")
leads = np.array([1, 3], "timedelta64[h]")
members = np.arange(3)


def coords(lat, lon, names):
    """Dimensions as those of `earth2studio.run.ensemble`."""
    places = dict(zip(names, (lat, lon), strict=True))
    return OrderedDict(ensemble=members, time=times, lead_time=leads, **places)


fields = torch.tensor(
    np.array([[[value(m, h) + 50 * t for h in (1, 3)] for t in (0, 1)] for m in members])
)
lat1, lon1 = np.linspace(51.5, 50.0, 4), np.linspace(357.0, 361.0, 5) % 360.0
hy, hx = 3000.0 * np.arange(4), 3000.0 * np.arange(5)
lambert = pyproj.Proj("+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5 +R=6371229")
lon2, lat2 = lambert(*np.meshgrid(hx, hy), inverse=True)


def write(io, c):
    io.add_array(c, ["t2m"])
    io.write([fields], c, ["t2m"])


write(ZarrBackend(str(out / "regular.zarr")), coords(lat1, lon1, ("lat", "lon")))
# earth2studio.models.px.stormcast: hrrr_y and hrrr_x are dimensions of its output
write(ZarrBackend(str(out / "hrrr.zarr")), coords(hy, hx, ("hrrr_y", "hrrr_x")))
write(ZarrBackend(str(out / "2d.zarr")), coords(lat2, lon2 % 360, ("lat", "lon")))
netcdf = NetCDF4Backend(str(out / "regular.nc"))
write(netcdf, coords(lat1, lon1, ("lat", "lon")))
netcdf.close()
