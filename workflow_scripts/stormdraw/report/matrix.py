"""The matrix of scores: a row for each system, a column for each variable and lead.

The reader chooses the score and the initial hour. Every choice is in the page, so that nothing is
asked for from anywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stormdraw.report.style import looks
from stormdraw.report.summary import leads_in, systems_in, variables_in
from stormdraw.report.wording import NARROW, NOTHING, digits, skill_text, units_text
from stormdraw.scores import registry
from stormdraw.scores.score import Metric
from stormdraw.settings import Settings

# A cell's colour is one step stronger at each of these multiples of the smallest difference.
_STEPS = (1.0, 2.5, 5.0, 10.0, 20.0)

ALL_HOURS = "all"


@dataclass(frozen=True)
class Choice:
    """A score that a reader can choose.

    `metrics` are names of the summary: the first that a system has counts, of the given
    `parameters`. `standard` is a system that the value is divided by, `against` one that a skill is
    measured against. `tone` colours a cell: above 0 blue, below 0 red, at 0 not at all. `best` is
    the direction of a star: 1 for high, -1 for low, 0 for none.
    """

    label: str
    metrics: tuple[str, ...]
    text: Callable[[float], str]
    tone: Callable[[float], float]
    best: int
    standard: str | None = None
    against: str | None = None
    parameters: tuple[tuple[str, float], ...] = ()

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Those of a table of scores that it is made of."""
        chosen = table["metric"].isin(self.metrics) & table["value"].notna()
        chosen &= table["against"] == (self.against or "")
        for name, value in self.parameters:
            chosen &= table[name] == value
        return table[chosen]


@dataclass(frozen=True)
class MatrixRow:
    """A system; `colour` is that of its lines in the figures.

    `scored` tells for each column whether the system has any score there.
    """

    name: str
    size: str
    colour: str
    scored: list[bool]


@dataclass(frozen=True)
class Matrix:
    """The matrix and all that a reader may choose.

    `cells` holds for each choice, for each initial hour ("all" first), for each system a list of
    [text, class, title] in the order of the columns.
    """

    rows: list[MatrixRow]
    variables: list[tuple[str, str]]
    leads: list[int]
    labels: list[str]
    hours: list[str]
    cells: list[list[list[list[list[str]]]]]


def contenders(settings: Settings) -> list[str]:
    """The systems that compete: neither baselines nor the perfect ensemble."""
    return [system.name for system in settings.ensembles.in_role("contender", "reference")]


def choices(summary: pd.DataFrame, settings: Settings) -> list[Choice]:
    """The scores that can be chosen, the headline first: those that any system has."""
    systems = systems_in(summary, settings)
    offered = {name: metric for name, metric in registry.metrics().items() if metric.offered}
    found = [
        _against(other, name, metric)
        for other in dict.fromkeys([settings.scores.reference, *settings.baselines()])
        for name, metric in offered.items()
        if metric.kind == "skill"
    ]
    perfect = settings.perfect_system()
    if perfect in systems:
        label = f"fair CRPS over that of {perfect}"
        found.append(Choice(label, ("crps_fair",), _two_decimals, _no_tone, -1, perfect))
    alone = {name: metric for name, metric in offered.items() if metric.kind != "skill"}
    found += [_alone(name, metric) for name, metric in alone.items() if not metric.dims]
    found += _of_events(alone, settings)
    return [choice for choice in found if len(choice.rows(summary))]


def _against(other: str | None, name: str, metric: Metric) -> Choice:
    names = tuple(own for own in (name, metric.stand_in) if own)
    label = f"{metric.label} against {other} (%)"
    return Choice(label, names, _per_cent, float, 0, against=other)


def _alone(name: str, metric: Metric, **parameters: float) -> Choice:
    """A metric of a system by itself, of one value for each of its parameters."""
    return Choice(
        metric.label.format(**{name: f"{value:g}" for name, value in parameters.items()}),
        tuple(own for own in (name, metric.stand_in) if own),
        _two_decimals if metric.kind == "ratio" else digits,
        _calibration if metric.best == "one" else _no_tone,
        {"high": 1, "low": -1}.get(metric.best, 0),
        parameters=tuple(parameters.items()),
    )


def _of_events(metrics: Mapping[str, Metric], settings: Settings) -> Iterator[Choice]:
    """Those of each threshold of each variable, at the middle one of widths and probabilities.

    Thresholds differ from variable to variable, so a choice has values in the columns of one.
    """
    parameters = settings.scores.parameters
    middle = {name: values[len(values) // 2] for name, values in parameters.items() if values}
    thresholds = {value for some in settings.scores.thresholds.values() for value in some}
    for threshold in sorted(thresholds):
        values = {"threshold": threshold} | middle
        for name, metric in metrics.items():
            if "threshold" in metric.dims and set(metric.dims) <= set(values):
                yield _alone(name, metric, **{dim: values[dim] for dim in metric.dims})


def _two_decimals(value: float) -> str:
    return f"{value:.2f}"


def _no_tone(value: float) -> float:
    return 0.0


def _per_cent(skill: float) -> str:
    """0.128 -> '+13': the unit stands in the label."""
    return skill_text(skill).removesuffix(f"{NARROW}%")


def _calibration(ratio: float) -> float:
    """Below 0 the further a spread-error ratio is from 1, either way; a tenth is not told."""
    distance = abs(float(np.log(ratio))) if ratio > 0.0 else np.inf
    return -max(0.0, distance - 0.1)


def matrix(
    summary: pd.DataFrame,
    by_hour: pd.DataFrame | None,
    verdicts: pd.DataFrame | None,
    settings: Settings,
) -> Matrix:
    """The matrix of a run.

    `by_hour` is results/scores/by_hour.csv and `verdicts` results/scores/verdicts.csv: a
    skill whose verdict is better or worse is marked as sure.
    """
    systems, leads = systems_in(summary, settings), leads_in(summary)
    names = variables_in(summary, settings)
    columns = [(name, lead) for name in names for lead in leads]
    tables = {ALL_HOURS: summary}
    if by_hour is not None:
        for hour, rows in by_hour.groupby("init_hour"):
            tables[f"{hour:02.0f} UTC"] = rows
    sure = _sure(verdicts)
    having = summary[summary["value"].notna()]
    scored = set(zip(having["system"], having["variable"], having["lead_hours"], strict=True))
    found = choices(summary, settings)
    cells = [
        [
            _cells(choice, table, systems, columns, settings, sure if hour == ALL_HOURS else set())
            for hour, table in tables.items()
        ]
        for choice in found
    ]
    return Matrix(
        rows=[
            MatrixRow(
                name,
                _size(summary, name),
                looks(settings)[name].colour,
                [(name, *column) in scored for column in columns],
            )
            for name in systems
        ],
        variables=[(name, units_text(name)) for name in names],
        leads=leads,
        labels=[choice.label for choice in found],
        hours=list(tables),
        cells=cells,
    )


def _sure(verdicts: pd.DataFrame | None) -> set[tuple[str, str | None, str, int]]:
    """(system, other system, variable, lead) of the comparisons that are decided."""
    if verdicts is None:
        return set()
    decided = verdicts[verdicts["verdict"].isin(("better", "worse"))]
    return set(
        zip(
            decided["system"],
            decided["reference"],
            decided["variable"],
            decided["lead_hours"],
            strict=True,
        )
    )


def _cells(
    choice: Choice,
    table: pd.DataFrame,
    systems: list[str],
    columns: list[tuple[str, int]],
    settings: Settings,
    sure: set[tuple[str, str | None, str, int]],
) -> list[list[list[str]]]:
    known = choice.rows(table)
    scores: dict[tuple[str, str, int], dict[str, Any]] = {}
    for metric in reversed(choice.metrics):
        for row in known[known["metric"] == metric].to_dict("records"):
            key = (str(row["system"]), str(row["variable"]), int(row["lead_hours"]))
            scores[key] = {str(name): value for name, value in row.items()}
    rows = [
        # No skill is measured against itself.
        [None if system == choice.against else scores.get((system, *column)) for column in columns]
        for system in systems
    ]
    values = np.array([[np.nan if row is None else row["value"] for row in own] for own in rows])
    if choice.standard is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = values / values[systems.index(choice.standard)]
    stars = _stars(choice, values, rows, [system in contenders(settings) for system in systems])
    smallest = settings.report.smallest_difference
    return [
        [
            _cell(
                choice,
                values[i, j],
                rows[i][j],
                stars[i, j],
                (system, choice.against, *columns[j]) in sure,
                f"{system}, {columns[j][0]}, {columns[j][1]} h",
                smallest,
            )
            for j in range(len(columns))
        ]
        for i, system in enumerate(systems)
    ]


def _stars(
    choice: Choice, values: np.ndarray, rows: list[list[Any]], competes: list[bool]
) -> np.ndarray:
    """Which contender is best in each column; a Gaussian CRPS competes with nobody."""
    stars = np.zeros(values.shape, bool)
    if not choice.best or sum(competes) < 2:
        return stars
    allowed = np.array(
        [[row is not None and "gaussian" not in row["metric"] for row in own] for own in rows]
    )
    allowed &= np.array(competes)[:, None]
    ordered = np.where(allowed, -choice.best * values, np.inf)
    best = ordered.min(axis=0)
    return (ordered == best) & np.isfinite(ordered)


def _cell(
    choice: Choice,
    value: float,
    row: Mapping[str, Any] | None,
    star: bool,
    sure: bool,
    where: str,
    smallest: float,
) -> list[str]:
    """[text, class, title] of one cell."""
    if row is None or not np.isfinite(value):
        return [NOTHING, "none", f"{where}: none"]
    text = choice.text(value)
    gaussian = "gaussian" in row["metric"]
    low, high = row.get("ci_low", np.nan), row.get("ci_high", np.nan)
    known = choice.standard is None and np.isfinite(low) and np.isfinite(high)
    interval = f" ({choice.text(low)} to {choice.text(high)})" if known else ""
    title = f"{where}: {choice.label} {text}{interval}, {int(row['cases'])} cases"
    classes = [tone_of(choice.tone(value), smallest)]
    classes += ["best"] if star else []
    classes += ["sure"] if sure else []
    return [
        f"{text}ᵍ" if gaussian else text,
        " ".join(part for part in classes if part),
        f"{title}, of Gaussians" if gaussian else title,
    ]


def tone_of(value: float, smallest: float) -> str:
    """The class of a cell: better-1 to better-5, worse-1 to worse-5, or none below `smallest`."""
    step = sum(abs(value) >= smallest * factor for factor in _STEPS)
    return f"{'better' if value > 0 else 'worse'}-{step}" if step else ""


def _size(summary: pd.DataFrame, system: str) -> str:
    counts = summary.loc[summary["system"] == system, "members"]
    low, high = int(counts.min()), int(counts.max())
    if high == 0:
        return "mean and spread"
    if high == 1:
        return "1 member"
    return f"{low} members" if low == high else f"{low} to {high} members"
