"""A case reduced to sums and counts over its points, from which all scores are ratios."""

from collections.abc import Callable, Mapping, Sequence
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
    scores = Scores() if scores is None else scores
    if regions is None:
        regions = {WHOLE_DOMAIN: np.ones(weights.shape, bool)}
    region_weights = np.stack([np.where(mask, weights, 0.0) for mask in regions.values()])
    variables = ensemble_variables(ensemble)
    leads = leads_of(ensemble) if in_common is None else in_common.leads
    init = format_init(initial_time(ensemble))
    blocks: list[Arrays] = []
    maps = MapSums(variables, weights.shape) if scores.maps else None

    def score(name: str, lead: int, points: np.ndarray | None) -> tuple[Arrays, Arrays]:
        # Nothing holds the forecast any longer than this: a block is all that is in memory.
        sums, at_points = block_sums(
            Block(
                read_forecast(ensemble, name, lead),
                truth(name, lead),
                region_weights,
                points,
                scores,
                run_seed,
                (init, name, lead),
                threads,
            )
        )
        if name == "WIND10" and {"U10", "V10"} <= set(ensemble.data_vars):
            u, v = (read_forecast(ensemble, part, lead) for part in ("U10", "V10"))
            observed = (truth("U10", lead), truth("V10", lead))
            sums |= wind_sums(Wind(u, v, *observed, region_weights, points, threads))
        return sums, at_points

    everywhere = np.ones(weights.shape, bool)
    for name in variables:
        wanted = there = 0
        for lead in leads:
            points = None if in_common is None else in_common.at(name, lead)
            compared = everywhere if points is None else points
            sums, at_points = score(name, lead, points)
            wanted += int(np.count_nonzero(compared))
            there += int(sums["points"][0])
            known = np.count_nonzero(compared & np.isfinite(truth(name, lead)))
            if in_common is not None and sums["points"][0] < known:
                sums, at_points = score(name, lead, ~everywhere)
            blocks.append(sums)
            if maps is not None:
                maps.add(name, at_points)
        if wanted and not there and not may_be_missing:
            raise StormdrawError(
                f"{name} at init {init}: at no lead is there a point where the truth and the "
                "members are finite; see which of the two files is empty"
            )
    # Alone: the ensemble's grid mapping would come along.
    init_alone = ensemble["init"].reset_coords(drop=True)
    found = _assembled(blocks, variables, leads, list(regions)).assign_coords(init=init_alone)
    return found if maps is None else found.assign(maps.maps())


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
