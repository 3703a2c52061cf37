"""Where on the map a system scores well and where it does not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr


def mean_crps_map(paths: Sequence[Path], variable: str) -> np.ndarray | None:
    """The CRPS of a variable at each point, (y, x), mean over all cases and leads.

    The fair one, or the Gaussian one of a system known by mean and spread. Cases in which a point
    does not count are left out of its mean; NaN where there is none. None if the files of scores
    have no map of this variable.
    """
    total: np.ndarray | None = None
    count: np.ndarray | None = None
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
            if "crps_map" not in statistics or variable not in statistics["variable"].values:
                return None
            maps = statistics["crps_map"].sel(variable=variable).values.astype(np.float64)
        finite = np.isfinite(maps)
        own, counted = np.where(finite, maps, 0.0).sum(axis=0), finite.sum(axis=0)
        total = own if total is None else total + own
        count = counted if count is None else count + counted
    if total is None or count is None:
        return None
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
