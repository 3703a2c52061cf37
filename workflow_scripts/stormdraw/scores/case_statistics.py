"""Reduce a case to sums and counts over its points. All scores are ratios of these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.fields.percentiles import Percentiles
from stormdraw.scores import registry
from stormdraw.scores.block import Block, block_sums, wind_sums
from stormdraw.scores.ensemble import (
    Forecast,
    ensemble_variables,
    initial_time,
    read_forecast,
)
from stormdraw.scores.maps import MapSums
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores
from stormdraw.scores.threshold import Limit, limits_of
from stormdraw.scores.verification import Wind
from stormdraw.times import format_init


def case_statistics(
    ensemble: xr.Dataset,
    truth: Callable[[str, int], np.ndarray],
    weights: np.ndarray,
    run_seed: int,
    scores: Scores | None = None,
    *,
    regions: Mapping[str, np.ndarray] | None = None,
    in_common: CommonPoints | None = None,
    percentiles: Percentiles | None = None,
    threads: int = 1,
    may_be_missing: bool = False,
) -> xr.Dataset:
    """Sufficient statistics of a case: `registry.sums`, with dims (variable, lead, ...).

    `ensemble` holds each variable as (member, lead, y, x), or as `<VAR>_mean` and `<VAR>_spread`
    (lead, y, x), and a scalar `init`. `truth(name, lead)` returns (y, x). `weights` is (y, x).
    `regions` are masks (y, x); the default is the whole domain. `percentiles` of the training times
    are needed if a threshold is a percentile. All sums are weighted; counts are not. A member
    without a finite value at a lead is left out there. A point counts where the truth and all other
    members are finite. Only one variable at one lead is in memory at a time, or two for the wind
    vector.

    With `in_common` its points count where the truth is finite. If the ensemble lacks one of them
    at a lead, no point of that variable counts at that lead: systems are compared on the same
    points or not at all. The table of missing data lists such gaps (`stormdraw.scores.missing`).

    Raises StormdrawError if a variable has no point at any lead although points are compared there,
    unless the case `may_be_missing`.
    """
    if regions is None:
        regions = {WHOLE_DOMAIN: np.ones(weights.shape, bool)}
    case = _Case(
        ensemble,
        truth,
        np.stack([np.where(mask, weights, 0.0) for mask in regions.values()]),
        in_common,
        Scores() if scores is None else scores,
        run_seed,
        threads,
        percentiles,
    )
    variables = ensemble_variables(ensemble)
    leads = leads_of(ensemble) if in_common is None else in_common.leads
    blocks: list[Arrays] = []
    maps = MapSums(variables, weights.shape) if case.scores.maps else None
    for name in variables:
        wanted = present = False
        for lead in leads:
            sums, at_points, any_wanted, any_present = case.score(name, lead)
            wanted, present = wanted or any_wanted, present or any_present
            blocks.append(sums)
            if maps is not None:
                maps.add(name, at_points)
        if wanted and not present and not may_be_missing:
            raise StormdrawError(
                f"{name} at init {case.init}: truth and members are both finite at no point of any "
                "lead; check which of the two files is empty"
            )
    # Drop the other coordinates of `init`, such as the ensemble's grid mapping.
    init = ensemble["init"].reset_coords(drop=True)
    statistics = _assembled(blocks, variables, leads, list(regions)).assign_coords(init=init)
    return statistics if maps is None else statistics.assign(maps.maps())


@dataclass(frozen=True)
class _Case:
    """An ensemble, its truth and the settings for its scores; `weights` are (region, y, x)."""

    ensemble: xr.Dataset
    truth: Callable[[str, int], np.ndarray]
    weights: np.ndarray
    in_common: CommonPoints | None
    scores: Scores
    run_seed: int
    threads: int
    percentiles: Percentiles | None

    @property
    def init(self) -> str:
        """The initial time as YYYYMMDDHH."""
        return format_init(initial_time(self.ensemble))

    def score(self, name: str, lead: int) -> tuple[Arrays, Arrays, bool, bool]:
        """Sums and maps of a variable at a lead; whether any point is wanted, and any is present.

        A point is wanted if systems are compared there, and present if truth and forecast are
        finite there.
        """
        forecast, observed = self._read(name, lead), self.truth(name, lead)
        everywhere = np.ones(observed.shape, bool)
        common = None if self.in_common is None else self.in_common.at(name, lead)
        wanted = everywhere if common is None else common
        known = wanted & np.isfinite(observed)
        present = known & forecast.valid
        complete = self.in_common is None or np.array_equal(present, known)
        points = wanted if complete else ~everywhere
        labels = (self.init, name, lead)
        options = (self.scores, self.run_seed, labels, self.threads, self._limits(name))
        sums, maps = block_sums(Block(forecast, observed, self.weights, points, *options))
        # Wind speed and both components together would take too much memory.
        del forecast
        if name == "WIND10" and {"U10", "V10"} <= set(self.ensemble.data_vars):
            u, v = (self._read(part, lead) for part in ("U10", "V10"))
            true_u, true_v = (self.truth(part, lead) for part in ("U10", "V10"))
            sums |= wind_sums(Wind(u, v, true_u, true_v, self.weights, points, self.threads))
        return sums, maps, bool(wanted.any()), bool(present.any())

    def _read(self, name: str, lead: int) -> Forecast:
        return read_forecast(self.ensemble, name, lead, threads=self.threads)

    def _limits(self, name: str) -> list[Limit]:
        """The limits of the variable's events."""

        def percentile(number: float) -> np.ndarray:
            if self.percentiles is None:
                raise StormdrawError(
                    f"scores.thresholds.{name} has the percentile {number:.9g}, but there are none "
                    "of the training times; run fields_percentiles"
                )
            return self.percentiles.field(name, number)

        return limits_of(self.scores.thresholds.get(name, []), percentile)


def _assembled(
    blocks: Sequence[Arrays], variables: list[str], leads: list[int], regions: list[str]
) -> xr.Dataset:
    """Assemble blocks, ordered by variable and lead, into a dataset.

    Shorter arrays are padded to the longest one of the same sum. Sums that no block has are left
    out.
    """
    dataset = xr.Dataset(
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
            "region": np.array(regions, dtype=object),
        }
    )
    for name, description in registry.sums().items():
        shapes = [np.shape(block[name]) for block in blocks if name in block]
        if not shapes:
            continue
        size = tuple(max(lengths) for lengths in zip(*shapes, strict=True))
        values: np.ndarray = np.full((len(blocks), *size), description.fill, description.kind)
        for index, block in enumerate(blocks):
            if name in block:
                array = np.asarray(block[name])
                place: tuple[Any, ...] = (index, *(slice(length) for length in array.shape))
                values[place] = array
        dataset[name] = (
            ("variable", "lead", *description.dims),
            values.reshape(len(variables), len(leads), *size),
            {"long_name": description.meaning},
        )
    return dataset
