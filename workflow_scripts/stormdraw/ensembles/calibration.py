"""The calibration dial: a factor on the spread of each variable at each lead, chosen on validation
cases."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader
from stormdraw.files import write_text
from stormdraw.times import hours
from stormdraw.variables import variable

# Factors that are tried, 0.5 to 3.
FACTORS = np.arange(10, 61) / 20

# Of each field about so many points are looked at; neighbours say much the same.
_POINTS = 40_000


@dataclass
class SpreadTally:
    """Sums over cases and points of variance and squared error, (variable, lead, factor).

    `leads` are in hours.
    """

    variables: Sequence[str]
    leads: Sequence[int]
    members: int
    variance: np.ndarray = field(init=False)
    error: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.variance = np.zeros((len(self.variables), len(self.leads), len(FACTORS)))
        self.error = np.zeros_like(self.variance)

    def add(self, index: int, lead: int, members: np.ndarray, truth: np.ndarray) -> None:
        """Count a field of variable number `index` at lead number `lead`: members (member, y, x)
        against truth (y, x)."""
        step = max(1, round((truth.size / _POINTS) ** 0.5))
        drawn = members[:, ::step, ::step].reshape(len(members), -1).astype(np.float64)
        observed = truth[::step, ::step].ravel().astype(np.float64)
        there = np.isfinite(observed) & np.isfinite(drawn).all(axis=0)
        drawn, observed = drawn[:, there], observed[there]
        row = variable(self.variables[index])
        mean = drawn.mean(axis=0)
        for j, factor in enumerate(FACTORS):
            scaled = np.clip(mean + factor * (drawn - mean), row.lower, row.upper)
            self.variance[index, lead, j] += scaled.var(axis=0, ddof=1).sum()
            self.error[index, lead, j] += ((scaled.mean(axis=0) - observed) ** 2).sum()

    def ratios(self) -> np.ndarray:
        """Spread-error ratio (variable, lead, factor); NaN where there is no error or no spread.

        sqrt((M + 1) / M) sqrt(mean variance) / RMSE of the mean (Fortin et al. 2014).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = (self.members + 1) / self.members * self.variance / self.error
        return np.sqrt(np.where((squared > 0) & np.isfinite(squared), squared, np.nan))


# What was chosen for one variable at one lead.
Choice = dict[str, float | None]


def choose(tally: SpreadTally) -> dict[str, dict[int, Choice]]:
    """For each variable and lead the factor whose ratio is nearest 1, and the ratio without and
    with it.

    Near is by the logarithm, so that half and twice the spread are equally far. Where no ratio is
    known, spread is kept. Spread that is too small becomes more so with every hour of a rollout,
    hence the leads.
    """
    ratios = tally.ratios()
    return {
        name: {lead: _choice(ratios[i, j]) for j, lead in enumerate(tally.leads)}
        for i, name in enumerate(tally.variables)
    }


def _choice(ratios: np.ndarray) -> Choice:
    """From the ratio of each factor."""
    unchanged = int(np.flatnonzero(FACTORS == 1.0)[0])
    known = np.isfinite(ratios)
    best = int(np.nanargmin(np.abs(np.log(ratios)))) if known.any() else unchanged
    return {
        "factor": float(FACTORS[best]),
        "ratio_before": float(ratios[unchanged]) if known[unchanged] else None,
        "ratio_after": float(ratios[best]) if known[best] else None,
    }


def tally_case(
    tally: SpreadTally,
    ensemble: Path,
    truth: StateReader,
    init: datetime,
    absent: Collection[datetime] = (),
) -> None:
    """Count a drawn case, a file (member, lead, y, x), against the analyses of its valid times.

    Those that are `absent` from the archive do not count. Raises StormdrawError if there are not as
    many members as were asked for.
    """
    with xr.open_dataset(ensemble, engine="netcdf4") as dataset:
        if dataset.sizes["member"] != tally.members:
            raise StormdrawError(
                f"system {dataset.attrs['system']}: its model forecasts one member, which has no "
                "spread to calibrate; set `calibrate` of the system to false"
            )
        for j, lead in enumerate(tally.leads):
            valid = init + hours(lead)
            if valid in absent:
                continue
            observed = truth.read(valid)
            for index, name in enumerate(tally.variables):
                tally.add(index, j, dataset[name].isel(lead=j).values, observed[index])


def write_choice(
    path: Path,
    system: str,
    members: int,
    inits: Sequence[datetime],
    chosen: Mapping[str, Mapping[int, Choice]],
) -> None:
    """Write a calibration: the choice, and on which cases and how many members it was made."""
    content = {
        "system": system,
        "members": members,
        "cases": [f"{init:%Y-%m-%d %H} UTC" for init in inits],
        "variables": chosen,
    }
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_factors(path: Path) -> dict[str, dict[int, float]]:
    """The factor of each variable at each lead in hours.

    Raises StormdrawError if the file holds something else.
    """
    try:
        chosen = json.loads(path.read_text())["variables"]
        return {
            name: {int(lead): float(choice["factor"]) for lead, choice in leads.items()}
            for name, leads in chosen.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StormdrawError(
            f"{path}: not a calibration that can be read; delete it to calibrate anew"
        ) from None
