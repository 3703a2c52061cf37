"""The portrait table: skill by variable, system and lead, each cell a link to its evidence."""

from dataclasses import dataclass

import pandas as pd

from stormdraw.report.headline import NOT_IN_REFERENCE, step_of
from stormdraw.report.summary import leads_in, systems_in, variables_in
from stormdraw.report.wording import NOTHING, digits, skill_text
from stormdraw.settings import Settings

# The better one first: the skill of the Gaussians stands in where one has no members.
_SKILLS = ("crps_skill", "crps_gaussian_skill")


@dataclass(frozen=True)
class Tile:
    """One system and variable at one lead: skill as text and colour, and the id of its evidence.

    `title` is the same in full. `tone` and `step` are as those of `headline.Cell`.
    """

    skill: str
    title: str
    target: str
    gaussian: bool
    tone: str
    step: int
    sure: bool


@dataclass(frozen=True)
class PortraitRow:
    """One system's tiles, a lead each."""

    system: str
    tiles: list[Tile]


@dataclass(frozen=True)
class Portrait:
    """For each variable the rows of its systems; `without` says why a variable has none."""

    leads: list[int]
    groups: list[tuple[str, list[PortraitRow], str]]


def evidence_id(variable: str, system: str, lead: int) -> str:
    """The id of the row in which the scores of a system at a lead stand."""
    return f"scores-{variable}-{system}-{lead}"


def portrait(summary: pd.DataFrame, settings: Settings) -> Portrait | None:
    """The table of skill against scores.reference; None without a reference."""
    reference = settings.scores.reference
    if reference is None or summary.empty:
        return None
    leads = leads_in(summary)
    known = summary[summary["metric"].isin(_SKILLS) & summary["value"].notna()]
    skills = {
        (row.variable, row.system, row.lead_hours, row.metric): row
        for row in known.itertuples(index=False)
    }
    groups = []
    for name in variables_in(summary, settings):
        scored = systems_in(summary[summary["variable"] == name], settings)
        rows = [
            PortraitRow(system, [_tile(skills, name, system, lead, reference) for lead in leads])
            for system in scored
            if system != reference
        ]
        without = "" if reference in scored else f"{NOT_IN_REFERENCE}: {reference} has no {name}"
        groups.append((name, rows, without))
    return Portrait(leads, groups)


def _tile(skills: dict, name: str, system: str, lead: int, reference: str) -> Tile:
    target = evidence_id(name, system, lead)
    found = [skills.get((name, system, lead, metric)) for metric in _SKILLS]
    score = next((row for row in found if row is not None), None)
    where = f"{system}, {name}, {lead} h"
    if score is None:
        return Tile(NOTHING, f"{where}: no skill, see the scores", target, False, "", 0, False)
    value, low, high = float(score.value), score.ci_low, score.ci_high
    sure = bool(low > 0.0 or high < 0.0)
    interval = f" ({skill_text(low)} to {skill_text(high)})" if low == low else ", no interval"
    return Tile(
        skill=skill_text(value),
        title=f"{where}: skill {skill_text(value)} against {reference}{interval}, "
        f"{digits(float(score.cases))} cases",
        target=target,
        gaussian=score.metric == "crps_gaussian_skill",
        tone=("better" if value > 0 else "worse") if step_of(value) else "",
        step=step_of(value),
        sure=sure,
    )
