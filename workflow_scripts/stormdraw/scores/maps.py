"""Where on the map a system scores well and where it does not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

# In a file of scores, (variable, y, x): sums over leads, and over how many.
MAPS = ("crps_map_sum", "crps_map_leads")


class MapSums:
    """Sums over leads of the CRPS at each point of a grid (y, x), by variable."""

    def __init__(self, variables: Sequence[str], shape: tuple[int, int]) -> None:
        self._places = {name: index for index, name in enumerate(variables)}
        self._sums = np.zeros((len(variables), *shape), np.float32)
        self._leads = np.zeros((len(variables), *shape), np.int8)

    def add(self, name: str, crps: np.ndarray) -> None:
        """Add one lead of a variable, (y, x), NaN where a point does not count."""
        place, counts = self._places[name], np.isfinite(crps)
        np.add(self._sums[place], crps, out=self._sums[place], where=counts)
        self._leads[place] += counts

    def maps(self) -> dict[str, xr.DataArray]:
        """What MAPS names."""
        described = (
            (self._sums, "sum over leads of the fair CRPS, or of a Gaussian's without members"),
            (self._leads, "leads at which the point counts"),
        )
        return {
            name: xr.DataArray(values, dims=("variable", "y", "x"), attrs={"long_name": meaning})
            for name, (values, meaning) in zip(MAPS, described, strict=True)
        }


def mean_crps_map(paths: Sequence[Path], variable: str) -> np.ndarray | None:
    """The CRPS of a variable at each point, (y, x), mean over all cases and leads.

    The fair one, or the Gaussian one of a system known by mean and spread. Cases and leads at which
    a point does not count are left out of its mean; NaN where there is none. None if the files of
    scores have no map of this variable.
    """
    total: np.ndarray | None = None
    count: np.ndarray | None = None
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
            if not {*MAPS} <= {*statistics} or variable not in statistics["variable"].values:
                return None
            own, leads = (statistics[name].sel(variable=variable).values for name in MAPS)
        total = own.astype(np.float64) if total is None else total + own
        count = leads.astype(np.int64) if count is None else count + leads
    if total is None or count is None:
        return None
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
