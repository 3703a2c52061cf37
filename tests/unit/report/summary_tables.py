"""Tables of scores and verdicts written by hand."""

import copy
from typing import Any

import numpy as np
import pandas as pd
from report_run import DEMO

from stormdraw.report.wording import MINUS, NARROW
from stormdraw.settings import Settings, load_settings

# (system, variable, lead, metric, members, value, ci_low, ci_high)
ROWS = [
    ("ddpm_residual", "T2M", 1, "crps_fair", 50, 0.6, None, None),
    ("ddpm_residual", "T2M", 2, "crps_fair", 50, 0.9, None, None),
    ("ddpm_residual", "T2M", 1, "crps_skill", 50, 0.4, 0.1, 0.5),
    ("ddpm_residual", "T2M", 2, "crps_skill", 50, 0.1, 0.05, 0.2),
    ("href", "T2M", 1, "crps_fair", 10, 1.0, None, None),
    ("href", "T2M", 2, "crps_fair", 10, 1.0, None, None),
    # As in a real summary: its skill against itself is 0, and says nothing.
    ("href", "T2M", 1, "crps_skill", 10, 0.0, None, None),
    ("persistence", "T2M", 1, "crps_fair", 1, 1.02, None, None),
    ("persistence", "T2M", 2, "crps_fair", 1, 2.0, None, None),
    ("persistence", "T2M", 1, "crps_skill", 1, -0.015, -0.3, 0.2),
    ("persistence", "T2M", 2, "crps_skill", 1, -1.0, -1.5, -0.5),
    ("href_mean_spread", "T2M", 1, "crps_gaussian", 0, 1.1, None, None),
    ("href_mean_spread", "T2M", 2, "crps_gaussian", 0, 1.1, None, None),
    ("href_mean_spread", "T2M", 1, "crps_gaussian_skill", 0, -0.3, None, None),
    ("perfect", "T2M", 1, "crps_fair", 50, 0.5, None, None),
    ("perfect", "T2M", 2, "crps_fair", 50, 0.6, None, None),
    ("ddpm_residual", "REFC", 1, "crps_fair", 50, 3.3, None, None),
    ("ddpm_residual", "REFC", 2, "crps_fair", 50, 3.3, None, None),
    ("href", "REFC", 1, "crps_fair", 10, 3.0, None, None),
    ("href", "REFC", 2, "crps_fair", 10, 3.0, None, None),
]


def settings(reference: str | None = "href", **changes: Any) -> Settings:
    config = {**copy.deepcopy(DEMO), **changes}
    config["scores"] = {"reference": reference}
    return load_settings(config)


def summary(rows: list[tuple] = ROWS, **changes: Any) -> pd.DataFrame:
    columns = ["system", "variable", "lead_hours", "metric", "members", "value"]
    table = pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high"])
    table = table.astype({"ci_low": float, "ci_high": float})
    skills = table["metric"].str.endswith("skill")
    usual = {"cases": 5, "against": np.where(skills, "href", ""), "threshold": ""}
    table = table.assign(**usual | {"width": np.nan, "probability": np.nan} | changes)
    # The metrics that every real summary has.
    others = [
        table.drop_duplicates(["system", "variable", "lead_hours"]).assign(metric=metric, value=1.0)
        for metric in ("rmse", "spread_error_ratio")
        if metric not in set(table["metric"])
    ]
    return pd.concat([table, *others], ignore_index=True)


def judged(*rows: tuple[str, str, str, int, str]) -> pd.DataFrame:
    """(system, other, variable, lead, verdict)."""
    columns = ["system", "reference", "variable", "lead_hours", "verdict"]
    return pd.DataFrame(list(rows), columns=columns).assign(days=5)


def percent(text: str) -> str:
    return text.replace("-", MINUS) + f"{NARROW}%"


def signed(text: str) -> str:
    return text.replace("-", MINUS)
