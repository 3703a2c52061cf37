"""Reading an ensemble file, one variable at one lead at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import xarray as xr

from stormdraw.variables import names_of

# Members that are read at once: unpacking 16 bits takes three times the space of what comes out.
_READ_TOGETHER = 8


@dataclass(frozen=True)
class Forecast:
    """One variable at one lead: members (member, y, x), or mean and spread (y, x).

    `absent` is how many members of the file have no value here; `members` are the others. It is
    None, not empty, for a distribution known by mean and spread, which nobody else needs.
    `sampled` is of how many members mean and spread are, 0 if nobody says.
    """

    name: str
    members: np.ndarray | None
    mean: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    spread: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    absent: int = 0
    sampled: int = 0

    @cached_property
    def valid(self) -> np.ndarray:
        """Where all members that are there are finite, (y, x); nowhere if there is none."""
        if self.members is None:
            with np.errstate(invalid="ignore"):
                return np.isfinite(self.mean) & np.isfinite(self.spread) & (self.spread >= 0.0)
        valid = np.full(self.members.shape[1:], len(self.members) > 0)
        for member in self.members:
            valid &= np.isfinite(member)
        return valid


def ensemble_variables(ensemble: xr.Dataset) -> list[str]:
    """The variables an ensemble file has, as members or as mean and spread."""
    return [
        name
        for name in names_of("state", "derived")
        if name in ensemble or {f"{name}_mean", f"{name}_spread"} <= set(ensemble.data_vars)
    ]


def initial_time(ensemble: xr.Dataset) -> datetime:
    """The initial time of an ensemble file."""
    return ensemble["init"].values.astype("datetime64[s]").item()


def leads_of(ensemble: xr.Dataset) -> list[int]:
    """The leads of an ensemble file in hours."""
    return [int(lead) for lead in ensemble["lead"].values]


def read_forecast(ensemble: xr.Dataset, name: str, lead: int) -> Forecast:
    """One variable at one lead; where the file lacks the lead, all is missing.

    A member without a finite value is left out. Beside the members no copy of them is held.
    """
    if lead not in ensemble["lead"].values:
        return _absent(ensemble, name)
    if name not in ensemble:
        mean, spread = (
            ensemble[f"{name}_{kind}"].sel(lead=lead).values for kind in ("mean", "spread")
        )
        return Forecast(name, None, mean, spread, sampled=_sampled(ensemble, lead))
    stored = ensemble[name].sel(lead=lead).transpose("member", "y", "x")
    count = stored.sizes["member"]
    members = np.empty(stored.shape, np.float32)
    present = 0
    for first in range(0, count, _READ_TOGETHER):
        for member in stored.isel(member=slice(first, first + _READ_TOGETHER)).values:
            if _is_present(member):
                members[present] = member
                present += 1
    return Forecast(name, members[:present], absent=count - present)


def _sampled(ensemble: xr.Dataset, lead: int) -> int:
    """Of how many members a mean and spread are, 0 if the file does not tell."""
    by_lead = np.atleast_1d(ensemble.attrs.get("members_by_lead", []))
    if len(by_lead) != ensemble.sizes["lead"]:
        return 0
    return int(by_lead[leads_of(ensemble).index(lead)])


def _absent(ensemble: xr.Dataset, name: str) -> Forecast:
    """A forecast of nothing, by as many members as the file has."""
    shape = (ensemble.sizes["y"], ensemble.sizes["x"])
    if name not in ensemble:
        return Forecast(name, None, *np.full((2, *shape), np.nan, np.float32))
    return Forecast(name, np.empty((0, *shape), np.float32), absent=ensemble.sizes["member"])


def _is_present(member: np.ndarray) -> bool:
    """Whether a member (y, x) has any finite value; mostly the first row tells."""
    return bool(np.isfinite(member[:1]).any() or np.isfinite(member).any())
