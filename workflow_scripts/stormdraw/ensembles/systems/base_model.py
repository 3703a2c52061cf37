"""The base model's own forecast, from the run of the initial state."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from stormdraw.archive.base_model import base_model_names
from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.forecasts import require_leads
from stormdraw.ensembles.reach import BaseForecast
from stormdraw.ensembles.system import Baseline, CaseToMake
from stormdraw.grids import Grid


class BaseModelSystem(Baseline):
    """The base model's own forecast, from the run of the initial state.

    `kind` may also name the model, which is then checked to be the run's.
    """

    kind: Literal[("base_model", *base_model_names())]  # type: ignore[valid-type]

    @property
    def forecasts(self) -> BaseForecast:
        """That of the initial state's run."""
        return BaseForecast(self.kind)

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


SYSTEM = BaseModelSystem
