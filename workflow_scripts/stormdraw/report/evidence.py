"""Tables of every score, which back the matrix and the figures."""

from dataclasses import dataclass

import pandas as pd

from stormdraw.report.summary import leads_in, systems_in, variables_in
from stormdraw.report.wording import NOTHING, digits, skill_text, units_text
from stormdraw.scores import registry
from stormdraw.scores.score import Metric
from stormdraw.settings import Settings


@dataclass(frozen=True)
class ScoreRow:
    """The scores of one system at one lead; links on the page point to `anchor`.

    `values` are (value, interval) as text, in the order of the headings.
    """

    anchor: str
    system: str
    lead: int
    values: list[tuple[str, str]]


@dataclass(frozen=True)
class ScoreTable:
    """All scores of one variable."""

    variable: str
    units: str
    headings: list[str]
    rows: list[ScoreRow]


def evidence_id(variable: str, system: str, lead: int) -> str:
    """The id of the row that holds the scores of a system at a lead."""
    return f"scores-{variable}-{system}-{lead}"


def evidence(summary: pd.DataFrame, settings: Settings) -> list[ScoreTable]:
    """One table per variable, with the metrics that at least one system has."""
    return [_table(summary, settings, name) for name in variables_in(summary, settings)]


def _table(summary: pd.DataFrame, settings: Settings, name: str) -> ScoreTable:
    against = summary["against"].isin(["", settings.scores.reference])
    rows_of_name = summary[(summary["variable"] == name) & summary["value"].notna() & against]
    available = set(rows_of_name["metric"])
    metrics = {
        metric_name: metric
        for metric_name, metric in registry.metrics().items()
        if metric.label and not metric.dims and metric_name in available
    }
    indexed = rows_of_name.set_index(["system", "lead_hours", "metric"])
    values = indexed[["value", "ci_low", "ci_high"]]
    scores = {key: tuple(row) for key, row in zip(values.index, values.to_numpy(), strict=True)}
    leads = leads_in(rows_of_name)
    rows = [
        ScoreRow(
            evidence_id(name, system, lead),
            system,
            lead,
            [_cell(metric, scores.get((system, lead, key))) for key, metric in metrics.items()],
        )
        for system in systems_in(rows_of_name, settings)
        for lead in leads
    ]
    return ScoreTable(name, units_text(name), [metric.label for metric in metrics.values()], rows)


def _cell(metric: Metric, score: tuple[float, ...] | None) -> tuple[str, str]:
    if score is None:
        return NOTHING, ""
    text = skill_text if metric.kind == "skill" else digits
    value, low, high = score
    return text(value), f"{text(low)} to {text(high)}" if low == low and high == high else ""
