"""HRRR's own forecast, from the run of the initial state."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.forecasts import require_leads
from stormdraw.ensembles.reach import HrrrForecast
from stormdraw.ensembles.system import Baseline, CaseToMake
from stormdraw.grids import Grid


class HrrrSystem(Baseline):
    """HRRR's own forecast, from the run of the initial state."""

    kind: Literal["hrrr"]

    @property
    def forecasts(self) -> HrrrForecast:
        """HRRR's own forecast."""
        return HrrrForecast()

    def write(self, made: CaseToMake) -> None:
        """One member (member, lead, y, x); a lead without values is missing.

        Raises StormdrawError for a lead beyond the end of the forecast.
        """
        case = made.case
        with (
            xr.open_dataset(made.forecasts, engine="netcdf4") as dataset,
            ensemble_file(made.output, Grid.of(dataset), case, [0], made.settings) as put,
        ):
            require_leads(dataset, case.leads, made.forecasts)
            for j, lead in enumerate(case.leads):
                fields = dataset.sel(lead=lead)
                put(0, j, np.stack([fields[name].values for name in case.variables]))


SYSTEM = HrrrSystem
