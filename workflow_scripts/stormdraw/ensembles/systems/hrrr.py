"""HRRR's own forecast, from the run that the initial state is of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.forecasts import require_leads
from stormdraw.ensembles.reach import HrrrForecast
from stormdraw.ensembles.system import Baseline, CaseFiles
from stormdraw.grids import Grid

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class HrrrSystem(Baseline):
    """HRRR's own forecast, from the run that the initial state is of."""

    kind: Literal["hrrr"]

    @property
    def forecasts(self) -> HrrrForecast:
        """HRRR's."""
        return HrrrForecast()

    def write(
        self,
        run: Settings,
        files: CaseFiles,
        case: Case,
        output: Path,
        settings: Mapping[str, Any],
    ) -> None:
        """One member (member, lead, y, x)."""
        write_forecast(files.forecasts, case, output, settings)


def write_forecast(forecast: Path, case: Case, output: Path, settings: Mapping[str, Any]) -> None:
    """One member: a deterministic forecast (lead, y, x). A lead without values is missing.

    Raises StormdrawError for a lead beyond the forecast's last.
    """
    with (
        xr.open_dataset(forecast, engine="netcdf4") as dataset,
        ensemble_file(output, Grid.of(dataset), case, [0], settings) as put,
    ):
        require_leads(dataset, case.leads, forecast)
        for j, lead in enumerate(case.leads):
            fields = dataset.sel(lead=lead)
            put(0, j, np.stack([fields[name].values for name in case.variables]))


SYSTEM = HrrrSystem
