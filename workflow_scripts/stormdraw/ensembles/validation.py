"""Scores of an ensemble on validation cases: the fair CRPS and spread-error ratio of each variable
at each lead."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.ensembles.fair_crps import fair_crps
from stormdraw.ensembles.system import FromModel
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.settings import Settings
from stormdraw.times import hours

# About this many points of each field are scored; neighbouring points differ little.
_POINTS = 40_000


class ValidationScores:
    """Sums over cases and points, each (variable, lead); `leads` are in hours."""

    def __init__(self, variables: Sequence[str], leads: Sequence[int], members: int) -> None:
        self.variables, self.leads, self.members = list(variables), list(leads), members
        shape = (len(variables), len(leads))
        self.points, self.variance, self.squared_error, self.crps = np.zeros((4, *shape))

    def add(self, index: int, lead: int, members: np.ndarray, truth: np.ndarray) -> None:
        """Add a field, with the indices of its variable and lead: members (member, y, x) and truth
        (y, x). A point where any of them is missing does not count."""
        step = max(1, round((truth.size / _POINTS) ** 0.5))
        drawn = members[:, ::step, ::step].reshape(len(members), -1).astype(np.float64)
        observed = truth[::step, ::step].ravel().astype(np.float64)
        there = np.isfinite(observed) & np.isfinite(drawn).all(axis=0)
        drawn, observed = drawn[:, there], observed[there]
        place = index, lead
        self.points[place] += len(observed)
        self.variance[place] += drawn.var(axis=0, ddof=1).sum()
        self.squared_error[place] += ((drawn.mean(axis=0) - observed) ** 2).sum()
        self.crps[place] += fair_crps(drawn, observed).sum()

    def fair_crps(self) -> np.ndarray:
        """Mean fair CRPS (variable, lead); NaN where no point was added."""
        with np.errstate(invalid="ignore"):
            return self.crps / self.points

    def ratios(self) -> np.ndarray:
        """Spread-error ratio (variable, lead); NaN where error or spread is zero.

        sqrt((M + 1) / M) sqrt(mean variance) / RMSE of the mean (Fortin et al. 2014).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = (self.members + 1) / self.members * self.variance / self.squared_error
        return np.sqrt(np.where((squared > 0) & np.isfinite(squared), squared, np.nan))

    def lacking(self) -> np.ndarray:
        """The factor f that the spread lacks, (variable, lead); NaN where it is unknown.

        The mean of M members has a sampling variance of s^2 / M, which is part of its mean squared
        error. The rest is the variance of the truth, (f s)^2: f^2 = error / s^2 - 1 / M.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = self.squared_error / self.variance - 1 / self.members
        return np.sqrt(np.where((squared > 0) & np.isfinite(squared), squared, np.nan))

    def add_case(
        self,
        ensemble: Path,
        truth: StateReader,
        init: datetime,
        absent: Collection[datetime] = (),
    ) -> None:
        """Add a drawn case, a file (member, lead, y, x), with the analyses of its valid times.

        Valid times that are `absent` from the archive do not count. Raises StormdrawError if the
        file has another number of members.
        """
        with xr.open_dataset(ensemble, engine="netcdf4") as dataset:
            if dataset.sizes["member"] != self.members:
                raise StormdrawError(
                    f"system {dataset.attrs['system']}: its model forecasts one member, which has "
                    "no spread to calibrate; set `calibrate` of the system to false"
                )
            for j, lead in enumerate(self.leads):
                valid = init + hours(lead)
                if valid in absent:
                    continue
                observed = truth.read(valid)
                for index, name in enumerate(self.variables):
                    self.add(index, j, dataset[name].isel(lead=j).values, observed[index])


def score_on_validation(
    run: Settings,
    system: FromModel,
    drawn: DrawingFiles,
    folder: Path,
    threads: int,
    amplitudes: Mapping[str, float],
) -> ValidationScores:
    """Draw the validation cases with these multiples of the noise's amplitude, and score them.

    `amplitudes` are by variable; `folder` holds one case at a time. A member has the same random
    numbers with any amplitude, so scores differ because of the amplitude and not by chance.
    """
    members = run.calibration_members(system)
    scores = ValidationScores(run.variables, run.leads, members)
    truth, absent = StateReader(drawn.states, run.variables), absent_times(drawn.states)
    ensemble = folder / "ensemble.nc"
    for init in run.calibration_times():
        draw_case(
            *(run, system, drawn, init, members, ensemble, {}, threads), amplitudes=amplitudes
        )
        scores.add_case(ensemble, truth, init, absent)
    return scores
