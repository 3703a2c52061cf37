"""Read an ensemble file, one variable at one lead at a time."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.fields.netcdf import leads_of
from stormdraw.fields.packing import MISSING, Packing
from stormdraw.scores.kernels import in_threads
from stormdraw.variables import names_of

# How many members are read at once, and how many of their points are unpacked at once, so that
# these stay in a core's cache.
READ_TOGETHER, _UNPACKED_TOGETHER = 8, 2**15


@dataclass(frozen=True)
class Forecast:
    """One variable at one lead: members (member, y, x), or mean and spread (y, x).

    At stations they are (member, station) and (station,).

    `absent` is the number of members in the file without a value here; `members` holds the others.
    `members` is None, not empty, if only mean and spread are known. These then come from `sampled`
    members, 0 if the number is unknown. `finite` (y, x) says where all members are finite, if that
    is known already.
    """

    name: str
    members: np.ndarray | None
    mean: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    spread: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    absent: int = 0
    sampled: int = 0
    finite: np.ndarray | None = None

    @cached_property
    def valid(self) -> np.ndarray:
        """Mask (y, x) of the points where all present members are finite; False without members."""
        if self.finite is not None:
            return self.finite
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


def origin(ensemble: xr.Dataset) -> dict[str, str]:
    """The attributes of an ensemble file that its scores keep: system, method, reason for a gap."""
    kept = {name: str(ensemble.attrs[name]) for name in ("system", "method")}
    return kept | ({"missing": ensemble.attrs["missing"]} if "missing" in ensemble.attrs else {})


def without_variables(ensemble: xr.Dataset, names: Collection[str]) -> xr.Dataset:
    """An ensemble file without some variables, given as members or as mean and spread."""
    fields = {f"{name}{kind}" for name in names for kind in ("", "_mean", "_spread")}
    return ensemble.drop_vars(fields & set(ensemble.data_vars))


def initial_time(ensemble: xr.Dataset) -> datetime:
    """The initial time of an ensemble file."""
    return ensemble["init"].values.astype("datetime64[s]").item()


def _everywhere(field: np.ndarray) -> np.ndarray:
    return field


def open_ensemble(path: Path) -> xr.Dataset:
    """An ensemble file for `read_forecast`, which unpacks its variables.

    xarray would unpack a whole field in each of several steps, which takes four times as long.
    """
    return xr.open_dataset(path, engine="netcdf4", decode_timedelta=False, mask_and_scale=False)


def read_forecast(
    ensemble: xr.Dataset,
    name: str,
    lead: int,
    at: Callable[[np.ndarray], np.ndarray] = _everywhere,
    threads: int = 1,
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
    count, *shape = stored.shape
    members = np.empty((count, *at(np.zeros(shape, np.float32)).shape), np.float32)
    finite = np.ones(shape, bool)
    present = 0
    for first in range(0, count, READ_TOGETHER):
        read = stored.isel(member=slice(first, first + READ_TOGETHER)).values
        there = [_is_present(member) for member in read]
        if not all(there):
            read = read[there]
        own = members[present : present + len(read)]
        on_grid = own if at is _everywhere else np.empty(read.shape, np.float32)
        _unpack(read, Packing.of(stored.attrs), on_grid, finite, threads)
        if at is not _everywhere:
            for place, member in enumerate(on_grid):
                own[place] = at(member)
        present += len(read)
    finite &= present > 0
    known = finite if at is _everywhere else None
    return Forecast(name, members[:present], absent=count - present, finite=known)


def _unpack(
    read: np.ndarray, packing: Packing, members: np.ndarray, finite: np.ndarray, threads: int
) -> None:
    """Put what was read into `members`, both (member, y, x), and take points off `finite` (y, x)
    that a member lacks."""
    flat, unpacked = (own.reshape(len(own), finite.size) for own in (read, members))
    all_finite = finite.reshape(-1)

    def at(points: slice) -> None:
        for numbers, values in zip(flat[:, points], unpacked[:, points], strict=True):
            values[:] = numbers if _holds_values(numbers) else packing.unpack(numbers)
            all_finite[points] &= np.isfinite(values)

    in_threads(at, finite.size, _UNPACKED_TOGETHER, threads)


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
    """Whether a member (y, x), as stored, has any finite value. Usually the first row decides."""
    return bool(_known(member[:1]).any() or _known(member).any())


def _known(numbers: np.ndarray) -> np.ndarray:
    return np.isfinite(numbers) if _holds_values(numbers) else numbers != MISSING


def _holds_values(numbers: np.ndarray) -> bool:
    """Whether these are the values themselves, not packed as integers."""
    return bool(np.issubdtype(numbers.dtype, np.floating))
