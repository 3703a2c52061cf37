"""The matrix of scores: one row per system, one column per variable and lead.

The reader chooses the score, and the initial hour or the valid hour of the day. The page contains
the cells of every choice, so that it needs no network.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stormdraw.report.style import looks
from stormdraw.report.summary import leads_in, systems_in, variables_in
from stormdraw.report.wording import (
    NARROW,
    NOTHING,
    counted,
    digits,
    share_text,
    skill_text,
    units_text,
)
from stormdraw.scores import registry
from stormdraw.scores.score import Metric
from stormdraw.scores.threshold import Threshold
from stormdraw.scores.verdicts import BETTER, WORSE
from stormdraw.settings import Settings

# A cell's colour becomes one step stronger at each of these multiples of the smallest difference.
_STEPS = (1.0, 2.5, 5.0, 10.0, 20.0)

ALL_HOURS = "all"


@dataclass(frozen=True)
class Choice:
    """A score that the reader can choose.

    `metrics` are names of metrics in the summary; a system shows the first that it has, at the
    given `parameters`. Values are divided by those of the system `divisor`, if there is one; a
    skill is measured against the system `against`. `tone` maps a value to a colour: blue above 0,
    red below 0, none at 0. `best` says which value gets a star: 1 the highest, -1 the lowest,
    0 none.
    """

    label: str
    metrics: tuple[str, ...]
    text: Callable[[float], str]
    tone: Callable[[float], float]
    best: int
    divisor: str | None = None
    against: str | None = None
    parameters: tuple[tuple[str, float | str], ...] = ()

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table of scores that this choice shows."""
        chosen = table["metric"].isin(self.metrics) & table["value"].notna()
        chosen &= table["against"] == (self.against or "")
        for name, value in self.parameters:
            chosen &= table[name] == value
        return table[chosen]


@dataclass(frozen=True)
class MatrixRow:
    """A system. `colour` is the colour of its lines in the figures.

    `scored` says for each column whether the system has any score there.
    """

    name: str
    size: str
    colour: str
    scored: list[bool]


@dataclass(frozen=True)
class Matrix:
    """The matrix and its choices.

    `cells[choice][hour][system][column]` is [text, class, title]. The first hour is "all".
    """

    rows: list[MatrixRow]
    variables: list[tuple[str, str]]
    leads: list[int]
    labels: list[str]
    hours: list[str]
    cells: list[list[list[list[list[str]]]]]


def contenders(settings: Settings) -> list[str]:
    """The competing systems: all but baselines and the perfect ensemble."""
    return [system.name for system in settings.ensembles.in_role("contender", "reference")]


def choices(summary: pd.DataFrame, settings: Settings) -> list[Choice]:
    """The scores to choose from, the headline first: those that at least one system has."""
    systems = systems_in(summary, settings)
    offered = {name: metric for name, metric in registry.metrics().items() if metric.offered}
    available = [
        _skill_choice(other, name, metric)
        for other in dict.fromkeys([settings.scores.reference, *settings.baselines()])
        for name, metric in offered.items()
        if metric.kind == "skill"
    ]
    perfect = settings.perfect_system()
    if perfect in systems:
        label = f"fair CRPS relative to {perfect}"
        available.append(Choice(label, ("crps_fair",), _two_decimals, _no_tone, -1, perfect))
    metrics = {name: metric for name, metric in offered.items() if metric.kind != "skill"}
    available += [_metric_choice(name, own) for name, own in metrics.items() if not own.dims]
    available += _event_choices(metrics, settings)
    return [choice for choice in available if len(choice.rows(summary))]


def _skill_choice(other: str | None, name: str, metric: Metric) -> Choice:
    label = f"{metric.label} against {other} (%)"
    return Choice(label, _names(name, metric), _per_cent, float, 0, against=other)


def _metric_choice(
    name: str, metric: Metric, threshold: Threshold | None = None, **numbers: float
) -> Choice:
    """A metric that is not a skill, at one value of each of its parameters."""
    texts = {name: f"{value:g}" for name, value in numbers.items()}
    parameters: dict[str, float | str] = {**numbers}
    if threshold is not None:
        texts["threshold"], parameters["threshold"] = threshold.symbols(), threshold.text
    return Choice(
        metric.label.format(**texts),
        _names(name, metric),
        _two_decimals if metric.kind == "ratio" else digits,
        _calibration if metric.best == "one" else _no_tone,
        {"high": 1, "low": -1}.get(metric.best, 0),
        parameters=tuple(parameters.items()),
    )


def _names(name: str, metric: Metric) -> tuple[str, ...]:
    return (name, metric.stand_in) if metric.stand_in else (name,)


def _event_choices(metrics: Mapping[str, Metric], settings: Settings) -> Iterator[Choice]:
    """Metrics of events: each threshold, at the median width and median probability.

    Variables have different thresholds, so such a choice mostly fills the columns of one variable.
    """
    parameters = settings.scores.parameters
    middle = {name: values[len(values) // 2] for name, values in parameters.items() if values}
    thresholds = {own for some in settings.scores.thresholds.values() for own in some}
    for threshold in sorted(thresholds, key=lambda own: own.order):
        for name, metric in metrics.items():
            others = [dim for dim in metric.dims if dim != "threshold"]
            if len(others) < len(metric.dims) and set(others) <= set(middle):
                yield _metric_choice(
                    name, metric, threshold, **{dim: middle[dim] for dim in others}
                )


def _two_decimals(value: float) -> str:
    return f"{value:.2f}"


def _no_tone(value: float) -> float:
    return 0.0


def _per_cent(skill: float) -> str:
    """0.128 -> '+13'; the label gives the unit."""
    return skill_text(skill).removesuffix(f"{NARROW}%")


def _calibration(ratio: float) -> float:
    """The tone of a spread-error ratio: 0 within a tenth of 1, the more negative the farther."""
    distance = abs(float(np.log(ratio))) if ratio > 0.0 else np.inf
    return -max(0.0, distance - 0.1)


def matrix(
    summary: pd.DataFrame,
    by_hour: pd.DataFrame | None,
    verdicts: pd.DataFrame | None,
    settings: Settings,
) -> Matrix:
    """The matrix of a run.

    `by_hour` is results/scores/by_hour.csv. `verdicts` is results/scores/verdicts.csv; a skill
    with the verdict better or worse is marked as significant.
    """
    systems, leads = systems_in(summary, settings), leads_in(summary)
    names = variables_in(summary, settings)
    columns = [(name, lead) for name in names for lead in leads]
    tables = {ALL_HOURS: summary} | ({} if by_hour is None else _by_hour(by_hour))
    decided = _decided(verdicts)
    defined = summary[summary["value"].notna()]
    scored = set(zip(defined["system"], defined["variable"], defined["lead_hours"], strict=True))
    available = choices(summary, settings)
    cells = [
        [
            _cells(
                choice, table, systems, columns, settings, decided if hour == ALL_HOURS else set()
            )
            for hour, table in tables.items()
        ]
        for choice in available
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
        labels=[choice.label for choice in available],
        hours=list(tables),
        cells=cells,
    )


def _by_hour(by_hour: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each initial hour and of each valid hour, by their label on the page.

    At one lead, a valid hour has the forecasts of one initial hour. Rows of all leads together are
    left out, since the matrix has no column for them.
    """
    of_leads = by_hour[by_hour["init_hour"].notna()]
    return {
        f"{label} {hour:02.0f} UTC": rows
        for column, label in (("init_hour", "cases from"), ("valid_hour", "forecasts for"))
        for hour, rows in of_leads.groupby(column)
    }


def _decided(verdicts: pd.DataFrame | None) -> set[tuple[str, str | None, str, int]]:
    """(system, other system, variable, lead) of comparisons with the verdict better or worse."""
    if verdicts is None:
        return set()
    rows = verdicts[verdicts["verdict"].isin((BETTER, WORSE))]
    keys = rows[["system", "reference", "variable", "lead_hours"]]
    return set(keys.itertuples(index=False, name=None))


def _cells(
    choice: Choice,
    table: pd.DataFrame,
    systems: list[str],
    columns: list[tuple[str, int]],
    settings: Settings,
    decided: set[tuple[str, str | None, str, int]],
) -> list[list[list[str]]]:
    chosen = choice.rows(table)
    scores: dict[tuple[str, str, int], dict[str, Any]] = {}
    # The first metric overwrites its stand-in.
    for metric in reversed(choice.metrics):
        for row in chosen[chosen["metric"] == metric].to_dict("records"):
            key = (str(row["system"]), str(row["variable"]), int(row["lead_hours"]))
            scores[key] = {str(name): value for name, value in row.items()}
    rows = [
        # A system has no skill against itself.
        [None if system == choice.against else scores.get((system, *column)) for column in columns]
        for system in systems
    ]
    values = np.array([[np.nan if row is None else row["value"] for row in line] for line in rows])
    if choice.divisor is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = values / values[systems.index(choice.divisor)]
    stars = _stars(choice, values, rows, [system in contenders(settings) for system in systems])
    smallest = settings.report.smallest_difference
    return [
        [
            _cell(
                choice,
                values[i, j],
                rows[i][j],
                stars[i, j],
                (system, choice.against, *columns[j]) in decided,
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
    """The best contender of each column. A Gaussian CRPS does not compete."""
    stars = np.zeros(values.shape, bool)
    if not choice.best or sum(competes) < 2:
        return stars
    allowed = np.array(
        [[row is not None and "gaussian" not in row["metric"] for row in line] for line in rows]
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
    decided: bool,
    where: str,
    smallest: float,
) -> list[str]:
    """[text, class, title] of one cell."""
    if row is None or not np.isfinite(value):
        return [NOTHING, "none", f"{where}: none"]
    text = choice.text(value)
    gaussian = "gaussian" in row["metric"]
    low, high = row.get("ci_low", np.nan), row.get("ci_high", np.nan)
    has_interval = choice.divisor is None and np.isfinite(low) and np.isfinite(high)
    interval = f" ({choice.text(low)} to {choice.text(high)})" if has_interval else ""
    title = f"{where}: {choice.label} {text}{interval}, {int(row['cases'])} cases"
    undefined = row.get("undefined_share", np.nan)
    if undefined > 0.0:
        title += f", undefined in {share_text(undefined)} of resamples"
    classes = [tone_of(choice.tone(value), smallest)]
    classes += ["best"] if star else []
    classes += ["sure"] if decided else []
    return [
        f"{text}ᵍ" if gaussian else text,
        " ".join(part for part in classes if part),
        f"{title}, Gaussian CRPS" if gaussian else title,
    ]


def tone_of(value: float, smallest: float) -> str:
    """The CSS class of a cell: better-1 to better-5, worse-1 to worse-5, or "" below `smallest`."""
    step = sum(abs(value) >= smallest * factor for factor in _STEPS)
    return f"{'better' if value > 0 else 'worse'}-{step}" if step else ""


def _size(summary: pd.DataFrame, system: str) -> str:
    counts = summary.loc[summary["system"] == system, "members"]
    # A lead without any case has 0 members.
    sizes = [int(count) for count in set(counts[counts > 0])]
    return counted(sizes, "member") if sizes else "mean and spread"
