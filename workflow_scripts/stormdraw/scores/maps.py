"""Maps of scores: sums over leads at each point, and their means over cases."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores import registry
from stormdraw.scores.sums import ratio

# In a score file, (variable, y, x): the sum over leads, and the number of leads.
MAPS = ("crps_map_sum", "crps_map_leads")


class MapSums:
    """Sums over leads of mapped scores at each point of a grid (y, x), by variable."""

    def __init__(self, variables: Sequence[str], shape: tuple[int, int]) -> None:
        self._places = {name: index for index, name in enumerate(variables)}
        self._sums = {
            name: np.zeros((len(variables), *shape), np.int8 if "leads" in name else np.float32)
            for name in registry.map_sums()
        }

    def add(self, variable: str, maps: Mapping[str, np.ndarray]) -> None:
        """Add one lead of a variable: each map is (y, x), NaN where a point does not count."""
        place = self._places[variable]
        for name, values in maps.items():
            counts = np.isfinite(values)
            total = self._sums[f"{name}_sum"][place]
            np.add(total, values, out=total, where=counts)
            self._sums[f"{name}_leads"][place] += counts

    def maps(self) -> dict[str, xr.DataArray]:
        """The maps that `registry.map_sums` names."""
        return {
            name: xr.DataArray(
                self._sums[name], dims=("variable", "y", "x"), attrs={"long_name": meaning}
            )
            for name, meaning in registry.map_sums().items()
        }


def mean_crps_maps(
    paths_by_system: Mapping[str, Sequence[Path]], variable: str
) -> dict[str, np.ndarray]:
    """The CRPS (y, x) of a variable averaged over cases and leads, by system.

    It is the fair CRPS, or the Gaussian CRPS of a system of which only mean and spread are known. A
    case is left out for all systems if one lacks a lead or point that others have. Points without
    data are NaN. Systems without maps of this variable are left out.
    """
    files = {name: {path.name: path for path in paths} for name, paths in paths_by_system.items()}
    totals: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    for case in sorted({name for by_name in files.values() for name in by_name}):
        maps = {
            system: read
            for system, by_name in files.items()
            if case in by_name and (read := _read(by_name[case], variable)) is not None
        }
        same = len({leads.tobytes() for _, leads in maps.values()}) == 1
        for system, (sums, leads) in maps.items():
            totals[system] = totals.get(system, np.zeros(sums.shape)) + sums * same
            counts[system] = counts.get(system, np.zeros(sums.shape, np.int64)) + leads * same
    return {system: ratio(total, counts[system]) for system, total in totals.items()}


def _read(path: Path, variable: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The MAPS (y, x) of a score file, or None if it has none of this variable."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
        if not {*MAPS} <= {*statistics} or variable not in statistics["variable"].values:
            return None
        sums, leads = (statistics[name].sel(variable=variable).values for name in MAPS)
        return sums, leads
