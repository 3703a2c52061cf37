"""Rank histograms of all cases together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores.comparison import load_systems
from stormdraw.scores.tables import NO_RANK


def rank_histograms(paths_by_system: Mapping[str, Sequence[Path]]) -> xr.Dataset:
    """Rank counts summed over cases, `rank_counts` (system, variable, lead, rank).

    Histograms of ensembles of different sizes cannot be added. Where the number of members differs
    between cases, those with the most frequent number are summed (the larger of two equally
    frequent ones), and a case without a point that counts is none of them; `members` and `cases`,
    (system, variable, lead), tell which and how many.
    NO_RANK stands beyond rank `members`; a variable that a system lacks, or knows only by mean and
    spread, has `members` and `cases` 0.
    """
    summed = [
        _sum_over_cases(system).expand_dims(system=np.array([name], dtype=object))
        for name, system in load_systems(paths_by_system).items()
    ]
    fill = {"rank_counts": NO_RANK, "members": 0, "cases": 0}
    return xr.concat(summed, "system", join="outer", fill_value=fill)


def _sum_over_cases(system: xr.Dataset) -> xr.Dataset:
    """`rank_counts` (variable, lead, rank), `members` and `cases` (variable, lead)."""
    members = system["members"].values
    shape = members.shape[1:]
    summed = np.full((*shape, system.sizes["rank"]), NO_RANK, np.int64)
    used = np.zeros((2, *shape), np.int64)
    for index in np.ndindex(shape):
        of_cases = np.where(system["points"].values[:, *index] > 0, members[:, *index], 0)
        if not of_cases.any():
            continue
        # 0 is no ensemble.
        counted = np.bincount(of_cases[of_cases > 0])
        frequent = int(np.flatnonzero(counted == counted.max())[-1])
        chosen = of_cases == frequent
        counts = system["rank_counts"].values[:, *index, : frequent + 1]
        summed[*index, : frequent + 1] = counts[chosen].sum(axis=0)
        used[:, *index] = frequent, np.count_nonzero(chosen)
    histogram = xr.Dataset(
        {
            "rank_counts": (("variable", "lead", "rank"), summed),
            "members": (("variable", "lead"), used[0]),
            "cases": (("variable", "lead"), used[1]),
        },
        coords={"variable": system["variable"], "lead": system["lead"]},
    )
    return histogram.assign_coords(rank=np.arange(system.sizes["rank"]))
