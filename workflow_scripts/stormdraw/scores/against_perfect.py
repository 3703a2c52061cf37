"""How near each system comes to the perfect ensemble, by variable and lead."""

import numpy as np
import pandas as pd

from stormdraw.variables import DERIVED_VARIABLES, STATE_VARIABLES

COLUMNS = ("system", "variable", "lead_hours", "crps_ratio", "spread_error_ratio")
_ORDER = (*STATE_VARIABLES, *DERIVED_VARIABLES)
_CELL = 8
_MISSING = "-"


def against_perfect(summary: pd.DataFrame, perfect: str) -> pd.DataFrame:
    """One row for each other system, variable and lead, with columns COLUMNS.

    `crps_ratio` is the fair CRPS over that of the system `perfect`, which draws from the true
    distribution: on average nothing has less than 1. It is NaN where one of the two has none, as a
    system known by mean and spread only, or where the perfect ensemble has no error.
    `spread_error_ratio` is the system's own, for the two are read together.
    """
    metrics = summary[summary["metric"].isin(["crps_fair", "spread_error_ratio"])]
    table = metrics.pivot_table(
        index=["system", "variable", "lead_hours"], columns="metric", values="value", dropna=False
    ).reindex(columns=["crps_fair", "spread_error_ratio"])
    known = dict(zip(table.index, table.to_numpy(), strict=True))
    keys = summary[["system", "variable", "lead_hours"]].drop_duplicates()
    rows = []
    for system, variable, lead in keys.itertuples(index=False):
        if system == perfect:
            continue
        own, calibration = known.get((system, variable, lead), (np.nan, np.nan))
        limit, _ = known.get((perfect, variable, lead), (np.nan, np.nan))
        rows.append((system, variable, lead, own / limit if limit else np.nan, calibration))
    rows.sort(key=lambda row: (row[0], _ORDER.index(row[1]), row[2]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def against_perfect_text(table: pd.DataFrame, perfect: str) -> str:
    """The ratios for a terminal of 100 columns: a line for each system and lead."""
    variables = [name for name in _ORDER if name in set(table["variable"])]
    names = list(dict.fromkeys(table["system"]))
    width = min(max(map(len, names), default=0), 92 - _CELL * len(variables))
    lines = [
        f"CRPS (fair) over that of {perfect}, by lead: 1 is the limit",
        " " * (width + 6) + "".join(name.rjust(_CELL) for name in variables),
    ]
    found = table.set_index(["system", "variable", "lead_hours"])["crps_ratio"]
    for system in names:
        for lead in sorted(set(table.loc[table["system"] == system, "lead_hours"])):
            ratios = [found.get((system, name, lead), np.nan) for name in variables]
            cells = "".join(
                (_MISSING if np.isnan(ratio) else f"{ratio:.2f}").rjust(_CELL) for ratio in ratios
            )
            lines.append(f"{system[:width].ljust(width)} {lead:>3} h{cells}")
    return "\n".join(lines) + "\n"
