"""Where the truth falls in the distributions of systems known by mean and spread."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stormdraw.scores.comparison import load_systems, variables


def pit_histograms(
    paths_by_system: Mapping[str, Sequence[Path]],
) -> dict[tuple[str, str], tuple[np.ndarray, int]]:
    """Counts (bin,) of the probability integral transform, by (variable, system), all cases summed.

    With each the number of fields (a case at a lead) that they come from. Flat if the truth could
    be drawn from the distributions (Dawid 1984, doi:10.2307/2981683). Systems of members, which
    have ranks instead, are left out.
    """
    histograms = {}
    for name, system in load_systems(paths_by_system).items():
        if "pit_counts" not in system:
            continue
        for variable in variables(system):
            of_variable = system.sel(variable=variable)
            counts = of_variable["pit_counts"].sum(["init", "lead"]).values
            if counts.sum():
                fields = int((of_variable["points"].values > 0).sum())
                histograms[variable, name] = (counts, fields)
    return histograms
