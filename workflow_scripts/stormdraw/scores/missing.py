"""The table of missing data, which is left out of the scores of all systems."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.fields.netcdf import leads_of
from stormdraw.scores.comparison import cases, load_systems, variables

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
    """One row for each system, variable, case and lead with missing data, with columns COLUMNS.

    `absent_members` counts members without any value, `missing_points` points at which another
    member is not finite, and `missing_truth` points at which the truth is not finite. `points` is
    the number of points that remain for all systems. `reason` says why the system cannot start the
    case, and is empty otherwise.
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
                    leads_of(system)[lead],
                    *(int(values[case, variable, lead]) for values in counts.values()),
                    str(system["gap"].values[case]),
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        list(COLUMNS[:4]), ignore_index=True
    )
