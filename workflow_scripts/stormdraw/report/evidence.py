"""Every score as a table: what the figures and the headline are drawn from."""

from dataclasses import dataclass

import pandas as pd

from stormdraw.report.summary import systems_in, variables_in
from stormdraw.report.wording import NOTHING, digits, skill_text, units_text
from stormdraw.scores import registry
from stormdraw.scores.score import Metric
from stormdraw.settings import Settings


@dataclass(frozen=True)
class ScoreRow:
    """One system at one lead, which links find by `anchor`.

    `values` are (value, interval) as text, in the table's order.
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
    """The id of the row in which the scores of a system at a lead stand."""
    return f"scores-{variable}-{system}-{lead}"


def evidence(summary: pd.DataFrame, settings: Settings) -> list[ScoreTable]:
    """A table for each variable with the metrics that any of its systems has."""
    return [_table(summary, settings, name) for name in variables_in(summary, settings)]


def _table(summary: pd.DataFrame, settings: Settings, name: str) -> ScoreTable:
    against = summary["against"].isin(["", settings.scores.reference])
    own = summary[(summary["variable"] == name) & summary["value"].notna() & against]
    there = set(own["metric"])
    metrics = {
        name: metric
        for name, metric in registry.metrics().items()
        if metric.label and not metric.dims and name in there
    }
    scores = own.set_index(["system", "lead_hours", "metric"])[["value", "ci_low", "ci_high"]]
    found = {key: tuple(row) for key, row in zip(scores.index, scores.to_numpy(), strict=True)}
    leads = sorted(int(lead) for lead in set(own["lead_hours"]))
    rows = [
        ScoreRow(
            evidence_id(name, system, lead),
            system,
            lead,
            [_cell(metrics[metric], found.get((system, lead, metric))) for metric in metrics],
        )
        for system in systems_in(own, settings)
        for lead in leads
    ]
    return ScoreTable(name, units_text(name), [metric.label for metric in metrics.values()], rows)


def _cell(metric: Metric, score: tuple[float, ...] | None) -> tuple[str, str]:
    if score is None:
        return NOTHING, ""
    say = skill_text if metric.kind == "skill" else digits
    value, low, high = score
    return say(value), f"{say(low)} to {say(high)}" if low == low and high == high else ""
