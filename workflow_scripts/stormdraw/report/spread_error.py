"""Spread and error of one variable, for the panels that draw them."""

import numpy as np
import pandas as pd

from stormdraw.report.panel import Evidence

_COLUMNS = ["system", "lead_hours", "rmse", "ratio", "spread"]


def spread_and_error(evidence: Evidence) -> pd.DataFrame:
    """Columns system, lead_hours, rmse, ratio and spread, ordered by system and lead.

    Rows lacking any of them are left out. `spread` is ratio x RMSE. It includes the factor
    sqrt((M+1)/M) for M members, so a calibrated ensemble of any size lies on the 1:1 line (Fortin
    et al. 2014, doi:10.1175/JHM-D-14-0008.1).
    """
    wide = evidence.summary.pivot_table(
        index=["system", "lead_hours"], columns="metric", values="value"
    )
    if not {"rmse", "spread_error_ratio"} <= set(wide.columns):
        return pd.DataFrame(columns=_COLUMNS)
    points = wide.rename(columns={"spread_error_ratio": "ratio"})[["rmse", "ratio"]]
    points = points[np.isfinite(points["rmse"]) & (points["ratio"] > 0.0)].reset_index()
    order = [system.name for system in evidence.settings.ensembles.systems]
    points = points.sort_values(
        ["system", "lead_hours"],
        key=lambda column: column.map(order.index) if column.name == "system" else column,
    )
    return points.assign(spread=points["ratio"] * points["rmse"])
