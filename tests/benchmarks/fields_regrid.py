"""Regridding and coarsening beside SciPy, xarray and a mere copy."""

import time
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.interpolate import RegularGridInterpolator
from timing import best_times, table

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.coarsening import coarsen
from stormdraw.fields.regridding import Regridder
from stormdraw.grids import lambert

ROUNDS = 2

# HREF's grid of products: 1025 x 1473 points of 5 km.
HREF = lambert(
    first_latitude=20.19,
    first_longitude=238.45,
    shape=(1025, 1473),
    spacing=(5079.0, 5079.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)


def report_regrid(_: Path) -> str:
    field = np.random.default_rng(0).normal(280, 5, HREF.shape).astype(np.float32)
    whole = np.random.default_rng(1).normal(280, 5, HRRR.shape).astype(np.float32)
    start = time.perf_counter()
    regridder = Regridder(HREF, HRRR)
    part = regridder.cut(field)
    regridder.bilinear(part)
    regridder.nearest(part)
    regridder.wind(part, part, grid_relative=True)
    weights = time.perf_counter() - start
    x, y = HREF.from_longitude_latitude(*HRRR.longitude_latitude())
    points = np.stack([y, x], axis=-1)

    def scipys(method: str) -> np.ndarray:
        interpolator = RegularGridInterpolator(
            (HREF.y, HREF.x), field, method=method, bounds_error=False
        )
        return interpolator(points)

    as_xarray = xr.DataArray(whole, dims=("y", "x"))
    seconds = best_times(
        {
            "copying a field of the target": lambda: whole.copy(),
            "bilinear": lambda: regridder.bilinear(part),
            "bilinear, SciPy": lambda: scipys("linear"),
            "nearest": lambda: regridder.nearest(part),
            "nearest, SciPy": lambda: scipys("nearest"),
            "both wind components, turned": lambda: regridder.wind(part, part, True),
            "blocks of 4 x 4": lambda: coarsen(whole, 4, "T2M"),
            "blocks of 4 x 4, xarray": lambda: as_xarray.coarsen(y=4, x=4, boundary="trim").mean(),
        },
        ROUNDS,
    )
    limit = seconds["copying a field of the target"]
    rows = [[name, f"{1000 * s:.1f}", f"{s / limit:.0f}"] for name, s in seconds.items()]
    return (
        f"One field of 5 km onto HRRR's whole grid. The weights of the pair, made once: "
        f"{weights:.1f} s.\n\n" + table(["", "ms", "copies"], rows)
    )
