"""Sums over the cases of one system and variable, from which metrics are computed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.scores import registry
from stormdraw.scores.score import Arrays, Score


class Sums:
    """Weighted sums over cases by name, (resample, ...), each computed on first access.

    `system` has dims (init, ...). `resamples` (resample, init) says how often each case counts.
    `parameters` are the values of PARAMETERS at which metrics are computed. Of each dim that has
    an index in `within`, only that part counts, as if `system` were no more.
    """

    def __init__(
        self,
        system: xr.Dataset,
        resamples: np.ndarray,
        parameters: Mapping[str, Sequence[Any]] | None = None,
        within: Mapping[str, Any] | None = None,
    ) -> None:
        self.system = system
        self.parameters: dict[str, Sequence[Any]] = dict(parameters or {})
        self.resamples = resamples
        self._within = dict(within or {})
        self._summed: Arrays = {}

    def __contains__(self, name: str) -> bool:
        return name in self.system

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._summed:
            self._summed[name] = np.tensordot(self.resamples, self.of_case(name), 1)
        return self._summed[name]

    def of_case(self, name: str) -> np.ndarray:
        """The values of each case, (init, ...) in float64."""
        # Most of many sums are of no use to a table of one lead: only what is asked for is cut out.
        part = self.system.variables[name].isel(self._within, missing_dims="ignore")
        return part.values.astype(np.float64)

    @cached_property
    def thresholds(self) -> list[str]:
        """The texts of the variable's thresholds."""
        return events_of(self.system)


class Cases(Sums):
    """The cases of one variable of a system, with dims (init, lead, ...).

    `members` (init, lead) is 0 if only mean and spread are known. `counted` (init, lead) says where
    any point counts. `matched` (init, lead) is the reference's number of members m: matched scores
    are means over all subsets of m members. It is NaN where the system has fewer members, and None
    without a reference or members.
    """

    def __init__(
        self,
        system: xr.Dataset,
        resamples: np.ndarray,
        reference_members: np.ndarray | None = None,
        parameters: Mapping[str, Sequence[Any]] | None = None,
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
        """Whether there are members wherever a point counts."""
        members = self.members[self.counted]
        return bool(members.size and (members > 0).all())

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum over cases of values (init, lead) where any point counts, (resample, lead)."""
        return np.tensordot(self.resamples, np.where(self.counted, values, 0.0), 1)

    def mean(self, name: str) -> np.ndarray:
        """A weighted mean over points: the sum over the sum of weights, (resample, lead, ...)."""
        total, weight = self[name], self["weight_sum"]
        return ratio(total, weight.reshape(weight.shape + (1,) * (total.ndim - 2)))

    def standard_and_fair(self, score: str) -> Arrays:
        """Standard and fair mean of a score with its own weight; {} if that is 0 everywhere."""
        weight = f"{score}_weight_sum"
        if weight not in self or not self[weight].any():
            return {}
        return {
            f"{score}_{kind}": ratio(self[f"{score}_{kind}_sum"], self[weight])
            for kind in ("fair", "standard")
        }

    def by_size(self, lead: int) -> dict[int, Sums]:
        """The sums at the lead with this index, for each number of members.

        Cases without a point that counts are left out. The padding of files is cut off.
        """
        members, counted = self.members[:, lead], self.counted[:, lead]
        by_size = {}
        for size in np.unique(members[counted]):
            chosen = np.flatnonzero((members == size) & counted)
            within = {"init": chosen, "lead": lead, **_lengths(int(size))}
            by_size[int(size)] = Sums(
                self.system, self.resamples[:, chosen], self.parameters, within
            )
        return by_size


def events_of(system: xr.Dataset) -> list[str]:
    """The texts of a variable's thresholds, without the empty ones that pad files.

    They are the same wherever any point counts. Padding is at the end of shorter lists and where no
    point counts.
    """
    if "event" not in system:
        return []
    events = system["event"].transpose(..., "threshold").values
    rows = events.reshape(-1, system.sizes["threshold"])
    known = ([str(text) for text in row if text] for row in rows)
    return next((row for row in known if row), [])


def cut_to_size(tables: xr.Dataset, members: int) -> xr.Dataset:
    """Cut each table to the length that an ensemble of this size has."""
    return tables.isel(_lengths(members), missing_dims="ignore")


def _lengths(members: int) -> dict[str, slice]:
    """The part of each dim that an ensemble of this size has, where that depends on it."""
    lengths = registry.lengths().items()
    return {dim: slice(of(members)) for dim, of in lengths if callable(of)}


def all_metrics(cases: Cases) -> Arrays:
    """All metrics of one system and variable, (resample, lead, ...), by name.

    Scores of which the system has no sum are left out, as those of fields are at stations.
    """
    metrics: Arrays = {}
    for score in _scores_of(cases):
        if score.cases:
            metrics |= score.cases(cases)
    return metrics | _sized_metrics(cases)


def _scores_of(cases: Cases) -> list[Score]:
    """The scores that can be computed from these sums; some are made of those of another score."""
    every = registry.scores().values()
    return [score for score in every if not score.sums or any(name in cases for name in score.sums)]


def _sized_metrics(cases: Cases) -> Arrays:
    """The metrics of tables whose length depends on the ensemble's size, one lead at a time."""
    by_lead: list[Arrays] = []
    for lead in range(cases.members.shape[1]):
        by_size = cases.by_size(lead)
        by_lead.append({})
        for score in _scores_of(cases):
            if score.sizes:
                by_lead[-1] |= score.sizes(by_size)
    metrics: Arrays = {}
    for name in dict.fromkeys(name for at_lead in by_lead for name in at_lead):
        missing = np.full_like(next(one[name] for one in by_lead if name in one), np.nan)
        metrics[name] = np.stack([one.get(name, missing) for one in by_lead], axis=1)
    return metrics


def weighted_mean(values: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted mean of scores of ensembles of different sizes; a weight of 0 ignores NaN."""
    pairs = zip(values, weights, strict=True)
    products = [np.where(weight > 0.0, weight * value, 0.0) for value, weight in pairs]
    return ratio(np.sum(products, axis=0), np.sum(weights, axis=0))


def smallest_ensembles(system: xr.Dataset) -> np.ndarray:
    """The smallest number of members of any case at each lead (lead,), for one variable.

    It is 0 if only mean and spread are known, or if no case has a point that counts at the lead.
    """
    members, counted = system["members"].values, system["points"].values > 0
    fewest = np.where(counted, members, np.iinfo(np.int64).max).min(axis=0)
    return np.where(counted.any(axis=0), fewest, 0)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator / denominator, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    undefined = np.full(shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.not_equal(denominator, 0.0))
