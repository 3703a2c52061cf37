"""Which points can be compared: those that no system lacks."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores.ensemble import ensemble_variables, leads_of, read_forecast


class CommonPoints:
    """The points (y, x) that every system has which has the variable, by variable and lead.

    `leads` are those of any system. A lead that one of the systems lacks altogether counts for
    none. Points are kept as bits: of all leads of the whole grid there are many.
    """

    def __init__(self, ensemble_paths: Iterable[Path]) -> None:
        self._bits: dict[tuple[str, int], np.ndarray] = {}
        self._systems: Counter[str] = Counter()
        self._given: Counter[tuple[str, int]] = Counter()
        self._shape = (0, 0)
        for path in ensemble_paths:
            self._add(path)
        self.leads = sorted({lead for _, lead in self._given})

    def at(self, name: str, lead: int) -> np.ndarray:
        """Whether each point counts for a variable at a lead, bool (y, x)."""
        if not 0 < self._given[name, lead] == self._systems[name]:
            return np.zeros(self._shape, bool)
        size = self._shape[0] * self._shape[1]
        return np.unpackbits(self._bits[name, lead], count=size).astype(bool).reshape(self._shape)

    def _add(self, path: Path) -> None:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as ensemble:
            self._shape = (ensemble.sizes["y"], ensemble.sizes["x"])
            for name in ensemble_variables(ensemble):
                self._systems[name] += 1
                for lead in leads_of(ensemble):
                    self._given[name, lead] += 1
                    own = np.packbits(read_forecast(ensemble, name, lead).valid())
                    self._bits[name, lead] = own & self._bits.get((name, lead), own)
