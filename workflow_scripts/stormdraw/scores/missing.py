"""What was missing, and is therefore left out of the scores of all systems."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.scores.comparison import cases, leads, load_systems, variables

COLUMNS = (
    "system",
    "variable",
    "init",
    "lead_hours",
    "absent_members",
    "missing_points",
    "missing_truth",
    "points",
    "reason",
)
_MISSING = ("absent_members", "missing_points", "missing_truth")


def missing_data(paths_by_system: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """One row for each system, variable, case and lead that lacks anything, with columns COLUMNS.

    `absent_members` have no value at all; at `missing_points` one of the others is not finite; at
    `missing_truth` the truth is not. `points` is how many are left for all systems. `reason`
    says why the system has no forecast of the case at all, if it cannot be started.
    """
    rows = []
    for name, system in load_systems(paths_by_system).items():
        counts = {key: system[key].values for key in (*_MISSING, "points")}
        lacking = np.any([counts[key] > 0 for key in _MISSING], axis=0)
        for case, variable, lead in np.argwhere(lacking):
            rows.append(
                (
                    name,
                    variables(system)[variable],
                    cases(system)[case],
                    leads(system)[lead],
                    *(int(values[case, variable, lead]) for values in counts.values()),
                    str(system["gap"].values[case]),
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        list(COLUMNS[:4]), ignore_index=True
    )
