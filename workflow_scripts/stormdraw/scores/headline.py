"""The key numbers of a run: CRPS, skill and spread-error ratio over all leads."""

import textwrap
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from stormdraw.scores.statistics.crps import GAUSSIAN_CRPS, shared_crps
from stormdraw.scores.text_table import MISSING, WIDTH, text_table
from stormdraw.variables import scored_order

COLUMNS = (
    "system",
    "variable",
    "members",
    "cases",
    "leads",
    "crps_fair",
    "crps_gaussian",
    "skill",
    "skill_of",
    "spread_error_ratio",
)


def headline(summary: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """One row for each system and variable over all leads, with columns COLUMNS.

    CRPS is the mean over leads. Skill is 1 - CRPS / CRPS of the reference, both averaged over
    leads. `skill_of` names the CRPS used: crps_fair if both are ensembles, else a Gaussian CRPS; it
    is empty without a reference. The spread-error ratio averages variances and squared errors over
    leads before taking the root. Values that a system lacks are NaN.
    """
    tables = {
        key: rows.pivot_table(index="lead_hours", columns="metric", values="value", dropna=False)
        for key, rows in summary.groupby(["system", "variable"])
    }
    rows = []
    for (system, variable), group in summary.groupby(["system", "variable"]):
        scores = tables[system, variable]
        skill, skill_of = _skill(scores, tables.get((reference, variable)))
        rows.append(
            (
                system,
                variable,
                group["members"].min(),
                group["cases"].min(),
                len(scores),
                _mean(scores, "crps_fair"),
                _mean(scores, "crps_gaussian"),
                skill,
                skill_of,
                ratio_over_leads(scores),
            )
        )
    rows.sort(key=lambda row: (row[0], scored_order(str(row[1]))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def headline_text(headline: pd.DataFrame, reference: str | None, truth: Sequence[str]) -> str:
    """The table for a terminal of 100 columns: one block per score, one column per variable.

    `truth` are sentences that describe the truth.
    """
    counts = {
        name: ", ".join(str(count) for count in sorted(set(headline[name])))
        for name in ("leads", "cases")
    }
    blocks = [
        _block(headline, f"CRPS (fair), mean of {counts['leads']} leads: lower is better", _crps)
    ]
    if reference is not None:
        blocks.append(
            _block(headline, f"Skill, 1 - CRPS / CRPS of {reference}: above 0 is better", _skilled)
        )
    blocks.append(_block(headline, "Spread-error ratio: 1 when calibrated", _calibrated))
    notes = [f"Cases: {counts['cases']}.", *(textwrap.fill(line, WIDTH) for line in truth)]
    if headline["crps_fair"].isna().any():
        notes.append("g: Gaussian CRPS from mean and spread; compare it only with other g values.")
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"


def _block(headline: pd.DataFrame, title: str, cell: Callable[[pd.Series], str]) -> str:
    """A title, a line of variables, and one line per system."""
    variables = sorted(set(headline["variable"]), key=scored_order)
    cells = {(row["system"], row["variable"]): cell(row) for _, row in headline.iterrows()}
    rows = [
        (system, "", [cells.get((system, variable), MISSING) for variable in variables])
        for system in dict.fromkeys(headline["system"])
    ]
    return text_table(title, variables, rows)


def _crps(row: pd.Series) -> str:
    if np.isnan(row["crps_fair"]):
        return _digits(row["crps_gaussian"]) + " g"
    return _digits(row["crps_fair"])


def _skilled(row: pd.Series) -> str:
    if np.isnan(row["skill"]):
        return MISSING
    # + 0.0 turns -0.0 into 0.0.
    return f"{round(row['skill'], 2) + 0.0:.2f}" + (
        " g" if row["skill_of"] in GAUSSIAN_CRPS else ""
    )


def _calibrated(row: pd.Series) -> str:
    return MISSING if np.isnan(row["spread_error_ratio"]) else f"{row['spread_error_ratio']:.2f}"


def _digits(value: float) -> str:
    """Three significant digits without an exponent."""
    return np.format_float_positional(value, 3, fractional=False, trim="-")


def _mean(scores: pd.DataFrame, metric: str) -> float:
    """The mean over leads, NaN if the system lacks the metric at any lead."""
    return float(scores[metric].mean(skipna=False)) if metric in scores else np.nan


def _skill(scores: pd.DataFrame, reference: pd.DataFrame | None) -> tuple[float, str]:
    """The skill, and the name of the CRPS it is based on."""
    if reference is None:
        return np.nan, ""
    metric = shared_crps(scores, reference)
    standard = _mean(reference, metric)
    return (1.0 - _mean(scores, metric) / standard if standard else np.nan), metric


def ratio_over_leads(scores: pd.DataFrame, metric: str = "spread_error_ratio") -> float:
    """A ratio of spread and error over all leads, of metrics (lead, metric) of one system."""
    squared_error = scores["rmse"] ** 2
    variance = scores[metric] ** 2 * squared_error
    # Without an error there is no ratio, and so no variance.
    return float(np.sqrt(variance.sum(skipna=False) / squared_error.sum()))
