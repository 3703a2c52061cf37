"""Sums over the cases of one system and variable, of which its metrics are made."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import xarray as xr

from stormdraw.scores import registry
from stormdraw.scores.score import Arrays


class Sums:
    """Weighted sums over cases by name, (resample, ...), each made when it is first asked for.

    `system` has dims (init, ...), and `resamples` (resample, init) tells how often a case counts.
    `parameters` are the values of those of PARAMETERS that metrics are asked for.
    """

    def __init__(
        self,
        system: xr.Dataset,
        resamples: np.ndarray,
        parameters: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.system = system
        self.parameters = dict(parameters or {})
        self.resamples = resamples
        self._summed: Arrays = {}

    def __contains__(self, name: str) -> bool:
        return name in self.system

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._summed:
            self._summed[name] = np.tensordot(self.resamples, self.of_case(name), 1)
        return self._summed[name]

    def of_case(self, name: str) -> np.ndarray:
        """What is summed, (init, ...) in float64."""
        return self.system[name].values.astype(np.float64)

    @cached_property
    def thresholds(self) -> list[float]:
        """Those of the variable; files are filled up with NaN."""
        if "threshold_value" not in self:
            return []
        values = self.of_case("threshold_value").reshape(-1, self.system.sizes["threshold"])
        known = values[np.isfinite(values).any(axis=1)]
        return [float(value) for value in known[0] if np.isfinite(value)] if len(known) else []


class Cases(Sums):
    """The cases of one variable of a system, with dims (init, lead) and those of each sum.

    `members` (init, lead) are 0 for a distribution known by mean and spread; `counted` (init, lead)
    tells where any point does. `matched` (init, lead) is the number of members m, that of the
    reference, of which all subsets are scored; NaN where there are fewer. It is None without a
    reference, and of a system that is not known by members.
    """

    def __init__(
        self,
        system: xr.Dataset,
        resamples: np.ndarray,
        reference_members: np.ndarray | None = None,
        parameters: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        super().__init__(system, resamples, parameters)
        self.parameters["threshold"] = self.thresholds
        self.members = system["members"].values
        self.counted = system["points"].values > 0
        self.matched = None
        if reference_members is not None and self.has_members:
            subsets = (self.members >= reference_members) & (reference_members > 0)
            self.matched = np.where(subsets, reference_members, np.nan).astype(np.float64)

    @property
    def has_members(self) -> bool:
        """Whether the variable is known by members, wherever a point counts."""
        members = self.members[self.counted]
        return bool(members.size and (members > 0).all())

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum over cases of values (init, lead), where any point counts; (resample, lead)."""
        return np.tensordot(self.resamples, np.where(self.counted, values, 0.0), 1)

    def mean(self, name: str) -> np.ndarray:
        """A weighted sum over the weight of its points, (resample, lead, ...)."""
        total, weight = self[name], self["weight_sum"]
        return ratio(total, weight.reshape(weight.shape + (1,) * (total.ndim - 2)))

    def standard_and_fair(self, score: str) -> Arrays:
        """Both means of a score that has a weight of its own; none where it is 0 throughout."""
        weight = f"{score}_weight_sum"
        if weight not in self or not self[weight].any():
            return {}
        return {
            f"{score}_{kind}": ratio(self[f"{score}_{kind}_sum"], self[weight])
            for kind in ("fair", "standard")
        }

    def by_size(self, lead: int) -> dict[int, Sums]:
        """The sums at the lead of that index, for each number of members.

        A case without a point that counts is of no size. What files were filled up with is cut off.
        """
        at_lead = self.system.isel(lead=lead)
        members, counted = self.members[:, lead], self.counted[:, lead]
        by_size = {}
        for size in np.unique(members[counted]):
            chosen = np.flatnonzero((members == size) & counted)
            own = cut_to_size(at_lead.isel(init=chosen), int(size))
            by_size[int(size)] = Sums(own, self.resamples[:, chosen], self.parameters)
        return by_size


def cut_to_size(tables: xr.Dataset, members: int) -> xr.Dataset:
    """The part of each table that an ensemble of so many members has."""
    lengths = {dim: of for dim, of in registry.lengths().items() if dim in tables.dims}
    return tables.isel({dim: slice(of(members)) for dim, of in lengths.items() if callable(of)})


def all_metrics(cases: Cases) -> Arrays:
    """Every metric of one system and variable, (resample, lead, ...), by name."""
    found: Arrays = {}
    for score in registry.scores().values():
        if score.cases:
            found |= score.cases(cases)
    return found | _sized_metrics(cases)


def _sized_metrics(cases: Cases) -> Arrays:
    """The metrics of tables as long as the ensemble; a lead at a time, since these are largest."""
    by_lead: list[Arrays] = []
    for lead in range(cases.members.shape[1]):
        by_size = cases.by_size(lead)
        by_lead.append({})
        for score in registry.scores().values():
            if score.sizes:
                by_lead[-1] |= score.sizes(by_size)
    found: Arrays = {}
    for name in dict.fromkeys(name for of_lead in by_lead for name in of_lead):
        missing = np.full_like(next(own[name] for own in by_lead if name in own), np.nan)
        found[name] = np.stack([own.get(name, missing) for own in by_lead], axis=1)
    return found


def weighted_mean(values: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of scores of ensembles of different sizes; a size without weight does not count."""
    pairs = zip(values, weights, strict=True)
    products = [np.where(weight > 0.0, weight * value, 0.0) for value, weight in pairs]
    return ratio(np.sum(products, axis=0), np.sum(weights, axis=0))


def smallest_ensembles(system: xr.Dataset) -> np.ndarray:
    """The fewest members of any case at each lead, (lead,); 0 by mean and spread, or without one.

    Of one variable. A case without a point that counts at a lead is none of it.
    """
    members, counted = system["members"].values, system["points"].values > 0
    fewest = np.where(counted, members, np.iinfo(np.int64).max).min(axis=0)
    return np.where(counted.any(axis=0), fewest, 0)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator over denominator, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    undefined = np.full(shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.not_equal(denominator, 0.0))
