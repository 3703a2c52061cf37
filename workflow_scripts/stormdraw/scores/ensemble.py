"""Read an ensemble file, one variable at one lead at a time."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import xarray as xr

from stormdraw.fields.netcdf import leads_of
from stormdraw.variables import names_of

# The number of members read at once: unpacking 16 bits takes three times the memory of the result.
READ_TOGETHER = 8


@dataclass(frozen=True)
class Forecast:
    """One variable at one lead: members (member, y, x), or mean and spread (y, x).

    At stations they are (member, station) and (station,).

    `absent` is the number of members in the file without a value here; `members` holds the others.
    `members` is None, not empty, if only mean and spread are known. These then come from `sampled`
    members, 0 if the number is unknown.
    """

    name: str
    members: np.ndarray | None
    mean: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    spread: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    absent: int = 0
    sampled: int = 0

    @cached_property
    def valid(self) -> np.ndarray:
        """Mask (y, x) of the points where all present members are finite; False without members."""
        if self.members is None:
            with np.errstate(invalid="ignore"):
                return np.isfinite(self.mean) & np.isfinite(self.spread) & (self.spread >= 0.0)
        valid = np.full(self.members.shape[1:], len(self.members) > 0)
        for member in self.members:
            valid &= np.isfinite(member)
        return valid


def ensemble_variables(ensemble: xr.Dataset) -> list[str]:
    """The variables of an ensemble file, given as members or as mean and spread."""
    return [
        name
        for name in names_of("state", "derived")
        if name in ensemble or {f"{name}_mean", f"{name}_spread"} <= set(ensemble.data_vars)
    ]


def without_variables(ensemble: xr.Dataset, names: Collection[str]) -> xr.Dataset:
    """An ensemble file without some variables, given as members or as mean and spread."""
    fields = {f"{name}{kind}" for name in names for kind in ("", "_mean", "_spread")}
    return ensemble.drop_vars(fields & set(ensemble.data_vars))


def initial_time(ensemble: xr.Dataset) -> datetime:
    """The initial time of an ensemble file."""
    return ensemble["init"].values.astype("datetime64[s]").item()


def _everywhere(field: np.ndarray) -> np.ndarray:
    return field


def read_forecast(
    ensemble: xr.Dataset,
    name: str,
    lead: int,
    at: Callable[[np.ndarray], np.ndarray] = _everywhere,
) -> Forecast:
    """Read one variable at one lead. If the file lacks the lead, everything is missing.

    Members without a finite value are left out. The members are never copied as a whole. `at` takes
    a field (y, x) to some places; without it the forecast is on the grid.
    """
    if lead not in ensemble["lead"].values:
        return _absent(ensemble, name, at)
    if name not in ensemble:
        mean, spread = (
            at(ensemble[f"{name}_{kind}"].sel(lead=lead).values) for kind in ("mean", "spread")
        )
        return Forecast(name, None, mean, spread, sampled=_sampled(ensemble, lead))
    stored = ensemble[name].sel(lead=lead).transpose("member", "y", "x")
    count = stored.sizes["member"]
    places = at(np.zeros(stored.shape[1:], np.float32)).shape
    members = np.empty((count, *places), np.float32)
    present = 0
    for first in range(0, count, READ_TOGETHER):
        for member in stored.isel(member=slice(first, first + READ_TOGETHER)).values:
            if _is_present(member):
                members[present] = at(member)
                present += 1
    return Forecast(name, members[:present], absent=count - present)


def _sampled(ensemble: xr.Dataset, lead: int) -> int:
    """The number of members behind a mean and spread, 0 if the file does not give it."""
    by_lead = np.atleast_1d(ensemble.attrs.get("members_by_lead", []))
    if len(by_lead) != ensemble.sizes["lead"]:
        return 0
    return int(by_lead[leads_of(ensemble).index(lead)])


def _absent(ensemble: xr.Dataset, name: str, at: Callable[[np.ndarray], np.ndarray]) -> Forecast:
    """A forecast in which all members of the file are absent."""
    shape = at(np.zeros((ensemble.sizes["y"], ensemble.sizes["x"]), np.float32)).shape
    if name not in ensemble:
        return Forecast(name, None, *np.full((2, *shape), np.nan, np.float32))
    return Forecast(name, np.empty((0, *shape), np.float32), absent=ensemble.sizes["member"])


def _is_present(member: np.ndarray) -> bool:
    """Whether a member (y, x) has any finite value. Usually the first row decides."""
    return bool(np.isfinite(member[:1]).any() or np.isfinite(member).any())
