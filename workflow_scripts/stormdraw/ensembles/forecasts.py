"""The forecasts of a case that others are made of, as the fields stage wrote them."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid


class Forecasts:
    """One forecast (lead, y, x), or several (member, lead, y, x), read state by state.

    `only` names those of several that count, in that order. To be used in a `with` statement.
    """

    def __init__(
        self, path: Path, variables: Sequence[str], only: Sequence[str] | None = None
    ) -> None:
        self.path = path
        self.variables = tuple(variables)
        self._dataset = xr.open_dataset(path, engine="netcdf4", decode_timedelta=False)
        self.names = ["forecast"]
        if "member" in self._dataset.dims:
            if only is not None:
                self._dataset = self._dataset.sel(member=list(only))
            self.names = [str(name) for name in self._dataset["member"].values]
        self.grid = Grid.of(self._dataset)

    def __enter__(self) -> "Forecasts":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._dataset.close()

    def state(self, number: int, lead: int) -> np.ndarray:
        """The state of a forecast at a lead in hours, float32 (variable, y, x).

        NaN where it has no value. Raises StormdrawError for a lead that the file lacks.
        """
        require_leads(self._dataset, [lead], self.path)
        fields = self._dataset.sel(lead=lead)
        if "member" in fields.dims:
            fields = fields.isel(member=number)
        return np.stack([fields[name].values for name in self.variables]).astype(np.float32)


def require_leads(dataset: xr.Dataset, leads: Sequence[int], path: Path) -> None:
    """Raise StormdrawError if a file of forecasts ends before one of these leads, in hours."""
    there = [int(lead) for lead in dataset["lead"].values]
    lacking = [str(lead) for lead in leads if lead not in there]
    if lacking:
        raise StormdrawError(
            f"{path}: has forecasts of {', '.join(map(str, there))} h, but {', '.join(lacking)} h "
            "is asked for; delete it to make it anew for these leads, or take shorter ones"
        )
