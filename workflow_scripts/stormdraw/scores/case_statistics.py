"""A case reduced to sums and counts over its points, from which all scores are ratios."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores import registry
from stormdraw.scores.block import Block, block_sums, wind_sums
from stormdraw.scores.ensemble import ensemble_variables, initial_time, leads_of, read_forecast
from stormdraw.scores.maps import MapSums
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores
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
    threads: int = 1,
    may_be_missing: bool = False,
) -> xr.Dataset:
    """Sufficient statistics of a case: `registry.sums`, with dims (variable, lead, ...).

    `ensemble` has (member, lead, y, x) for each variable, or `<VAR>_mean` and `<VAR>_spread` (lead,
    y, x), and a scalar `init`; `truth` gives a variable at a lead, (y, x); `weights` is (y, x);
    `regions` are masks (y, x), the whole domain if there are none. All sums are weighted; counts
    are not. A member with no finite value at a lead is left out there, and a point counts where the
    truth and all other members are finite. One variable at one lead is in memory at a time, and for
    the wind vector two.

    With `in_common` the points are those, where the truth is finite. Of a variable at a lead at
    which the ensemble lacks one of them none counts: it is compared on the same points or not at
    all. What lacks a point is told in the table of what is missing.

    Raises StormdrawError if a variable has no point at any lead where others have some, unless all
    of it `may_be_missing`.
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
    )
    variables = ensemble_variables(ensemble)
    leads = leads_of(ensemble) if in_common is None else in_common.leads
    blocks: list[Arrays] = []
    maps = MapSums(variables, weights.shape) if case.scores.maps else None
    for name in variables:
        wanted = there = False
        for lead in leads:
            sums, at_points, any_wanted, any_there = case.score(name, lead)
            wanted, there = wanted or any_wanted, there or any_there
            blocks.append(sums)
            if maps is not None:
                maps.add(name, at_points)
        if wanted and not there and not may_be_missing:
            raise StormdrawError(
                f"{name} at init {case.init}: at no lead is there a point where the truth and the "
                "members are finite; see which of the two files is empty"
            )
    # Alone: the ensemble's grid mapping would come along.
    init_alone = ensemble["init"].reset_coords(drop=True)
    found = _assembled(blocks, variables, leads, list(regions)).assign_coords(init=init_alone)
    return found if maps is None else found.assign(maps.maps())


@dataclass(frozen=True)
class _Case:
    """An ensemble, its truth, and how it is scored; `weights` are (region, y, x)."""

    ensemble: xr.Dataset
    truth: Callable[[str, int], np.ndarray]
    weights: np.ndarray
    in_common: CommonPoints | None
    scores: Scores
    run_seed: int
    threads: int

    @property
    def init(self) -> str:
        """The initial time."""
        return format_init(initial_time(self.ensemble))

    def score(self, name: str, lead: int) -> tuple[Arrays, Arrays, bool, bool]:
        """The sums and maps of a variable at a lead, whether points are compared, and any is there.

        A point is there where truth and forecast are finite.
        """
        forecast, observed = read_forecast(self.ensemble, name, lead), self.truth(name, lead)
        everywhere = np.ones(observed.shape, bool)
        common = None if self.in_common is None else self.in_common.at(name, lead)
        wanted = everywhere if common is None else common
        known = wanted & np.isfinite(observed)
        there = known & forecast.valid
        complete = self.in_common is None or np.array_equal(there, known)
        points = wanted if complete else ~everywhere
        labels = (self.init, name, lead)
        how = (self.scores, self.run_seed, labels, self.threads)
        sums, maps = block_sums(Block(forecast, observed, self.weights, points, *how))
        # Beside both components of the wind its speed would take too much memory.
        del forecast
        if name == "WIND10" and {"U10", "V10"} <= set(self.ensemble.data_vars):
            u, v = (read_forecast(self.ensemble, part, lead) for part in ("U10", "V10"))
            true_u, true_v = (self.truth(part, lead) for part in ("U10", "V10"))
            sums |= wind_sums(Wind(u, v, true_u, true_v, self.weights, points, self.threads))
        return sums, maps, bool(wanted.any()), bool(there.any())


def _assembled(
    blocks: Sequence[Arrays], variables: list[str], leads: list[int], regions: list[str]
) -> xr.Dataset:
    """Blocks in the order of variable, then lead, as a dataset.

    A sum that is longer in one block than in another is filled up; one that no block has is left
    out.
    """
    dataset = xr.Dataset(
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
            "region": np.array(regions, dtype=object),
        }
    )
    for name, own in registry.sums().items():
        having = [np.shape(block[name]) for block in blocks if name in block]
        if not having:
            continue
        size = tuple(max(lengths) for lengths in zip(*having, strict=True))
        values: np.ndarray = np.full((len(blocks), *size), own.fill, own.kind)
        for index, block in enumerate(blocks):
            if name in block:
                found = np.asarray(block[name])
                place: tuple[Any, ...] = (index, *(slice(length) for length in found.shape))
                values[place] = found
        dataset[name] = (
            ("variable", "lead", *own.dims),
            values.reshape(len(variables), len(leads), *size),
            {"long_name": own.meaning},
        )
    return dataset
