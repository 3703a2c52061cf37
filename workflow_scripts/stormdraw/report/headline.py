"""The table a reader looks at first: CRPS of each system and variable, and skill, as cells."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stormdraw.report.style import looks
from stormdraw.report.summary import cases_in, leads_in, select, systems_in, variables_in
from stormdraw.report.wording import digits, skill_text, units_text
from stormdraw.scores.headline import headline
from stormdraw.settings import Settings
from stormdraw.variables import variable

# Skill at which a cell's colour becomes one step stronger.
_STEPS = (0.02, 0.05, 0.10, 0.20, 0.40)

NOT_IN_REFERENCE = "not in reference"

_SKILL_OF = {"crps_fair": "crps_skill", "crps_gaussian": "crps_gaussian_skill"}


@dataclass(frozen=True)
class Cell:
    """One system's CRPS of one variable, as text, with its skill against the reference.

    `tone` is "better" or "worse" with a `step` of colour from 1 to 5, or "" where there is nothing
    to colour. `sure` is True if the interval of the skill excludes 0 at every lead.
    """

    crps: str
    gaussian: bool
    best: bool
    skill: str
    skill_gaussian: bool
    tone: str
    step: int
    sure: bool


@dataclass(frozen=True)
class Row:
    """One variable; `cells` are in the order of the table's systems."""

    name: str
    long_name: str
    units: str
    cells: list[Cell]


@dataclass(frozen=True)
class Column:
    """One system; `colour` is that of its lines in the figures."""

    name: str
    size: str
    colour: str


@dataclass(frozen=True)
class HeadlineTable:
    """The whole table, and what it says in words."""

    reference: str | None
    columns: list[Column]
    rows: list[Row]
    cases: list[int]
    leads: list[int]
    sentences: list[str]
    any_gaussian: bool
    any_interval: bool


def headline_table(summary: pd.DataFrame, settings: Settings) -> HeadlineTable:
    """Fair CRPS as mean over leads, and skill against the reference over all leads.

    Where one of the two is known by mean and spread only, skill is of the Gaussian CRPS of both.
    The lowest CRPS of a row is marked, among fair ones only.
    """
    reference = settings.scores.reference
    scores = headline(summary, reference).set_index(["variable", "system"])
    systems = systems_in(summary, settings)
    rows = [
        _row(name, systems, scores, summary, reference) for name in variables_in(summary, settings)
    ]
    skills = summary[summary["metric"].isin(list(_SKILL_OF.values()))]
    return HeadlineTable(
        reference=reference,
        columns=[
            Column(system, _size(summary, system), looks(settings)[system].colour)
            for system in systems
        ],
        rows=rows,
        cases=cases_in(summary),
        leads=leads_in(summary),
        sentences=_sentences(systems, scores, reference),
        any_gaussian=any(c.gaussian or c.skill_gaussian for row in rows for c in row.cells),
        any_interval=bool(skills["ci_low"].notna().any()),
    )


def _row(
    name: str,
    systems: list[str],
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    reference: str | None,
) -> Row:
    by_system = scores.loc[name]
    best = by_system["crps_fair"].min()
    cells = []
    for system in systems:
        if system not in by_system.index:
            cells.append(Cell("", False, False, "", False, "", 0, False))
            continue
        score: pd.Series = by_system.loc[system]  # type: ignore[assignment]
        cell = _cell(
            score,
            best=len(systems) > 1 and bool(score["crps_fair"] == best),
            without_skill=_why_no_skill(system, reference, set(by_system.index)),
            sure=_sure(summary, system, name, str(score["skill_of"])),
        )
        cells.append(cell)
    return Row(name, variable(name).long_name, units_text(name), cells)


def _why_no_skill(system: str, reference: str | None, having: set[str]) -> str:
    """What stands in a cell that has no skill."""
    if reference is None:
        return ""
    if system == reference:
        return "reference"
    return "reference is exact" if reference in having else NOT_IN_REFERENCE


def _cell(score: pd.Series, best: bool, without_skill: str, sure: bool) -> Cell:
    gaussian = bool(np.isnan(score["crps_fair"]))
    skill = float(score["skill"])
    known = math.isfinite(skill) and without_skill != "reference"
    return Cell(
        crps=digits(float(score["crps_gaussian"] if gaussian else score["crps_fair"])),
        gaussian=gaussian,
        best=best,
        skill=skill_text(skill) if known else without_skill,
        skill_gaussian=known and score["skill_of"] == "crps_gaussian",
        tone=("better" if skill > 0 else "worse") if known and step_of(skill) else "",
        step=step_of(skill) if known else 0,
        sure=known and sure,
    )


def _sure(summary: pd.DataFrame, system: str, name: str, skill_of: str) -> bool:
    """Whether the skill has an interval at every lead, all on the same side of 0."""
    if skill_of not in _SKILL_OF:
        return False
    rows = select(summary, system, name, _SKILL_OF[skill_of])
    if rows.empty or rows[["ci_low", "ci_high"]].isna().any(axis=None):
        return False
    return bool((rows["ci_low"] > 0).all() or (rows["ci_high"] < 0).all())


def _size(summary: pd.DataFrame, system: str) -> str:
    counts = summary.loc[summary["system"] == system, "members"]
    low, high = int(counts.min()), int(counts.max())
    if high == 0:
        return "mean and spread"
    if high == 1:
        return "1 member"
    return f"{low} members" if low == high else f"{low} to {high} members"


def _sentences(systems: list[str], scores: pd.DataFrame, reference: str | None) -> list[str]:
    """For each system: in how many variables it is better than the reference, and by how much."""
    sentences = []
    for system in systems:
        if reference is None or system == reference:
            continue
        skill = scores.xs(system, level="system")["skill"].dropna()
        if skill.empty:
            continue
        sentences.append(
            f"{system} is better than {reference} in {int((skill > 0).sum())} of {len(skill)} "
            f"variables; its median skill is {skill_text(float(skill.median()))}."
        )
    return sentences


def step_of(skill: float) -> int:
    """How strong a cell's colour is, 0 (none) to 5."""
    return sum(abs(skill) >= step for step in _STEPS)
