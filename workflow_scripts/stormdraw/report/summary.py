"""Select scores from results/scores/summary.csv for figures and tables."""

from pathlib import Path

import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.scores.summary import COLUMNS, read_summary
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# In order of preference: the second is for systems of which only mean and spread are known.
CRPS_KINDS = ("crps_fair", "crps_gaussian")


def load_summary(path: str | Path) -> pd.DataFrame:
    """Read the summary of all scores.

    Raises StormdrawError if the file is missing, empty or lacks a column.
    """
    try:
        table = read_summary(Path(path))
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file; run the scores stage first") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise StormdrawError(f"{path}: not a table of scores ({error}); delete it") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise StormdrawError(
            f"{path}: lacks the column {', '.join(missing)}; expected {', '.join(COLUMNS)}"
        )
    return table


def select(summary: pd.DataFrame, system: str, variable: str, metric: str) -> pd.DataFrame:
    """The rows of one system, variable and metric that have a value, indexed by lead."""
    chosen = summary[
        (summary["system"] == system)
        & (summary["variable"] == variable)
        & (summary["metric"] == metric)
        & summary["value"].notna()
    ]
    return chosen.sort_values("lead_hours").set_index("lead_hours")


def crps_kind(summary: pd.DataFrame, system: str, variable: str) -> str | None:
    """The name of the CRPS metric that a system has for a variable, or None."""
    for kind in CRPS_KINDS:
        if not select(summary, system, variable, kind).empty:
            return kind
    return None


def systems_in(summary: pd.DataFrame, settings: Settings) -> list[str]:
    """The scored systems in the order of the configuration."""
    scored = set(summary["system"])
    return [system.name for system in settings.ensembles.systems if system.name in scored]


def variables_in(summary: pd.DataFrame, settings: Settings) -> list[str]:
    """The scored variables in the order of the table of variables."""
    scored = set(summary["variable"])
    return [name for name in scored_variables(list(settings.variables)) if name in scored]


def leads_in(summary: pd.DataFrame) -> list[int]:
    """The scored leads in hours."""
    return sorted(int(lead) for lead in set(summary["lead_hours"]))


def cases_in(summary: pd.DataFrame) -> list[int]:
    """The distinct numbers of cases behind the scores: a single one if all systems have all."""
    return sorted(int(count) for count in set(summary["cases"].dropna()))
