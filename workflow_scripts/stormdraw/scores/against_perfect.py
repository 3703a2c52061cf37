"""The CRPS of each system relative to the perfect ensemble, by variable and lead."""

import numpy as np
import pandas as pd

from stormdraw.scores.text_table import MISSING, text_table
from stormdraw.variables import names_of, scored_order

COLUMNS = ("system", "variable", "lead_hours", "crps_ratio", "spread_error_ratio")


def against_perfect(summary: pd.DataFrame, perfect: str) -> pd.DataFrame:
    """One row for each other system, variable and lead, with columns COLUMNS.

    `crps_ratio` is the fair CRPS divided by that of the system `perfect`. The latter draws from the
    true distribution, so the ratio is at least 1 on average. It is NaN if one of the two has no
    fair CRPS, such as a system of mean and spread, or if the perfect ensemble has no error.
    `spread_error_ratio` is that of the system itself, because the two are read together.
    """
    metrics = summary[summary["metric"].isin(["crps_fair", "spread_error_ratio"])]
    table = metrics.pivot_table(
        index=["system", "variable", "lead_hours"], columns="metric", values="value", dropna=False
    ).reindex(columns=["crps_fair", "spread_error_ratio"])
    scores = dict(zip(table.index, table.to_numpy(), strict=True))
    keys = summary[["system", "variable", "lead_hours"]].drop_duplicates()
    rows = []
    for system, variable, lead in keys.itertuples(index=False):
        if system == perfect:
            continue
        crps, calibration = scores.get((system, variable, lead), (np.nan, np.nan))
        limit, _ = scores.get((perfect, variable, lead), (np.nan, np.nan))
        rows.append((system, variable, lead, crps / limit if limit else np.nan, calibration))
    rows.sort(key=lambda row: (row[0], scored_order(row[1]), row[2]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def against_perfect_text(table: pd.DataFrame, perfect: str) -> str:
    """The ratios for a terminal of 100 columns, one line per system and lead."""
    variables = [name for name in names_of("state", "derived") if name in set(table["variable"])]
    known = table.set_index(["system", "lead_hours", "variable"])["crps_ratio"].dropna().to_dict()
    rows = []
    for system, lead in sorted(set(zip(table["system"], table["lead_hours"], strict=True))):
        ratios = (known.get((system, lead, name)) for name in variables)
        cells = [MISSING if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        rows.append((system, f" {lead:>3} h", cells))
    title = f"CRPS (fair) relative to {perfect}, by lead: 1 is the limit"
    return text_table(title, variables, rows) + "\n"
