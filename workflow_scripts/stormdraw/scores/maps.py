"""Where on the map a system scores well and where it does not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores import registry

# In a score file, (variable, y, x): sums over leads, and over how many.
MAPS = ("crps_map_sum", "crps_map_leads")


class MapSums:
    """Sums over leads of what is mapped at each point of a grid (y, x), by variable."""

    def __init__(self, variables: Sequence[str], shape: tuple[int, int]) -> None:
        self._places = {name: index for index, name in enumerate(variables)}
        self._sums = {
            name: np.zeros((len(variables), *shape), np.int8 if "leads" in name else np.float32)
            for name in registry.map_sums()
        }

    def add(self, variable: str, maps: Mapping[str, np.ndarray]) -> None:
        """Add one lead of a variable, (y, x) by map, NaN where a point does not count."""
        place = self._places[variable]
        for name, values in maps.items():
            counts = np.isfinite(values)
            total = self._sums[f"{name}_sum"][place]
            np.add(total, values, out=total, where=counts)
            self._sums[f"{name}_leads"][place] += counts

    def maps(self) -> dict[str, xr.DataArray]:
        """What `registry.map_sums` names."""
        return {
            name: xr.DataArray(
                self._sums[name], dims=("variable", "y", "x"), attrs={"long_name": meaning}
            )
            for name, meaning in registry.map_sums().items()
        }


def mean_crps_maps(
    paths_by_system: Mapping[str, Sequence[Path]], variable: str
) -> dict[str, np.ndarray]:
    """The CRPS of a variable at each point, (y, x), mean over cases and leads, by system.

    The fair one, or the Gaussian one of a system known by mean and spread. A case of which one
    system lacks a lead or a point that others have is left out for all. NaN where nothing counts.
    Systems whose files have no map of this variable are left out.
    """
    files = {name: {path.name: path for path in paths} for name, paths in paths_by_system.items()}
    totals: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    for case in sorted({name for by_name in files.values() for name in by_name}):
        maps = {
            system: own
            for system, by_name in files.items()
            if case in by_name and (own := _read(by_name[case], variable)) is not None
        }
        same = len({leads.tobytes() for _, leads in maps.values()}) == 1
        for system, (sums, leads) in maps.items():
            totals[system] = totals.get(system, np.zeros(sums.shape)) + sums * same
            counts[system] = counts.get(system, np.zeros(sums.shape, np.int64)) + leads * same
    return {
        system: np.divide(
            total, counts[system], out=np.full(total.shape, np.nan), where=counts[system] > 0
        )
        for system, total in totals.items()
    }


def _read(path: Path, variable: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The maps of MAPS, (y, x), of a file of scores that has them."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
        if not {*MAPS} <= {*statistics} or variable not in statistics["variable"].values:
            return None
        sums, leads = (statistics[name].sel(variable=variable).values for name in MAPS)
        return sums, leads
