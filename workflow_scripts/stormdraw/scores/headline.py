"""The few numbers a reader wants first."""

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
    """One row for each system and variable, all leads together, with columns COLUMNS.

    CRPS is the mean over leads. Skill is 1 - CRPS / CRPS of the reference, both means over leads,
    of the CRPS that `skill_of` names: crps_fair if both are ensembles, else one of Gaussians.
    The spread-error ratio averages variances and squared errors over leads before the root. What a
    system does not have is NaN; `skill_of` is empty where there is no reference to compare with.
    """
    tables = {
        key: rows.pivot_table(index="lead_hours", columns="metric", values="value", dropna=False)
        for key, rows in summary.groupby(["system", "variable"])
    }
    rows = []
    for (system, variable), of_one in summary.groupby(["system", "variable"]):
        scores = tables[system, variable]
        skill, skill_of = _skill(scores, tables.get((reference, variable)))
        rows.append(
            (
                system,
                variable,
                of_one["members"].min(),
                of_one["cases"].min(),
                len(scores),
                _mean(scores, "crps_fair"),
                _mean(scores, "crps_gaussian"),
                skill,
                skill_of,
                _spread_error_ratio(scores),
            )
        )
    rows.sort(key=lambda row: (row[0], scored_order(str(row[1]))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def headline_text(headline: pd.DataFrame, reference: str | None, truth: Sequence[str]) -> str:
    """The table for a terminal of 100 columns: a block for each score, variables side by side.

    `truth` are sentences on what the scores were made with.
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
    if headline["crps_fair"].isna().any() or headline["skill_of"].isin(GAUSSIAN_CRPS).any():
        notes.append("g: Gaussian CRPS, where only mean and spread are known; compare g with g.")
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"


def _block(headline: pd.DataFrame, title: str, cell: Callable[[pd.Series], str]) -> str:
    """A title, a line of variables, and a line for each system."""
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
    """Three digits that count, without an exponent."""
    return np.format_float_positional(value, 3, fractional=False, trim="-")


def _mean(scores: pd.DataFrame, metric: str) -> float:
    """Mean over leads, NaN if the system does not have the metric at each."""
    return float(scores[metric].mean(skipna=False)) if metric in scores else np.nan


def _skill(own: pd.DataFrame, reference: pd.DataFrame | None) -> tuple[float, str]:
    """Skill and the name of the CRPS it is of."""
    if reference is None:
        return np.nan, ""
    metric = shared_crps(own, reference)
    scale = _mean(reference, metric)
    return (1.0 - _mean(own, metric) / scale if scale else np.nan), metric


def _spread_error_ratio(scores: pd.DataFrame) -> float:
    squared_error = scores["rmse"] ** 2
    variance = scores["spread_error_ratio"] ** 2 * squared_error
    total = squared_error.sum()
    return float(np.sqrt(variance.sum(skipna=False) / total)) if total else np.nan
