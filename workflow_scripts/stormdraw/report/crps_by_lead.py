"""CRPS against lead: a panel for each variable, a line for each system."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from stormdraw.report.style import (
    WIDTH,
    Look,
    baselines,
    describe,
    drawn,
    lead_axis,
    legend_of,
    looks,
    note_in_corner,
    panels,
    write_gap,
)
from stormdraw.report.summary import (
    cases_in,
    crps_kind,
    leads_in,
    load_summary,
    select,
    systems_in,
    variables_in,
)
from stormdraw.report.wording import counted, units_text
from stormdraw.settings import Settings

TITLE = "CRPS by lead"

# A baseline this many times above every other system would press their lines into one.
_FAR = 2.5


def draw_crps_by_lead(settings: Settings, summary_path: str | Path, output: str | Path) -> None:
    """Draw the CRPS of every system over lead, with intervals where the summary has them."""
    summary = load_summary(summary_path)
    variables = [
        name
        for name in variables_in(summary, settings)
        if any(crps_kind(summary, system, name) for system in systems_in(summary, settings))
    ]
    if not variables:
        write_gap(output, TITLE, "The summary holds no CRPS.")
        return
    cases = counted(cases_in(summary), "case")
    columns = min(4, len(variables))
    height = 0.75 + 1.75 * -(-len(variables) // columns)
    with drawn(output, (WIDTH * max(columns, 2) / 4, height), TITLE) as figure:
        each, lowest = panels(figure, len(variables), columns)
        for axes, name in zip(each, variables, strict=True):
            crps_panel(axes, summary, settings, name)
            lead_axis(axes, leads_in(summary), label=axes in lowest)
        legend_of(
            figure,
            each,
            settings,
            f"CRPS of each system, lower is better · {cases}{_interval_note(summary, settings)}",
        )
        describe(
            figure,
            f"Line charts of CRPS against lead time for {', '.join(variables)}, "
            f"a line for each of {', '.join(systems_in(summary, settings))}; {cases}.",
        )


def crps_panel(axes: Axes, summary: pd.DataFrame, settings: Settings, name: str) -> None:
    """Draw one variable's CRPS of every system over lead."""
    all_looks = looks(settings)
    for system in systems_in(summary, settings):
        kind = crps_kind(summary, system, name)
        if kind is not None:
            rows = select(summary, system, name, kind)
            # Six bands on each other are grey: baselines go without.
            _line(axes, rows, system, kind, all_looks[system], system not in baselines(settings))
    axes.set_title(f"{name}  ({units_text(name)})")
    axes.set_ylim(bottom=0.0)
    _limit_to_contenders(axes, summary, settings, name)


def _line(
    axes: Axes, rows: pd.DataFrame, system: str, kind: str, look: Look, with_interval: bool
) -> None:
    axes.plot(
        rows.index.to_numpy(),
        rows["value"],
        color=look.colour,
        linestyle=look.dash,
        marker=look.marker,
        markerfacecolor="white" if kind == "crps_gaussian" else look.colour,
        label=f"{system}{_kind_note(rows, kind)}",
    )
    if with_interval:
        _interval(axes, rows.dropna(subset=["ci_low", "ci_high"]), look)


def _interval(axes: Axes, known: pd.DataFrame, look: Look) -> None:
    if len(known) > 1:
        axes.fill_between(
            known.index.to_numpy(),
            known["ci_low"],
            known["ci_high"],
            color=look.colour,
            alpha=0.10,
            linewidth=0,
        )
    elif len(known) == 1:
        axes.vlines(known.index, known["ci_low"], known["ci_high"], color=look.colour, alpha=0.5)


def _kind_note(rows: pd.DataFrame, kind: str) -> str:
    if kind == "crps_gaussian":
        return " (Gaussian)"
    return " (absolute error)" if (rows["members"] == 1).all() else ""


def _limit_to_contenders(axes: Axes, summary: pd.DataFrame, settings: Settings, name: str) -> None:
    """End the axis above the best contenders if a baseline is far off, and say what it hides."""
    highest: dict[str, tuple[float, float]] = {}
    for system in systems_in(summary, settings):
        kind = crps_kind(summary, system, name)
        if kind is not None:
            values = select(summary, system, name, kind)["value"]
            highest[system] = (float(values.min()), float(values.max()))
    contenders = [top for system, (_, top) in highest.items() if system not in baselines(settings)]
    if not contenders or max(contenders) <= 0.0:
        return
    limit = _FAR * max(contenders)
    far = {system: span for system, span in highest.items() if span[1] > limit}
    if far:
        axes.set_ylim(0.0, limit)
        note_in_corner(
            axes,
            "beyond the axis:",
            *(f"{system} {low:.3g} to {top:.3g}" for system, (low, top) in far.items()),
        )


def _interval_note(summary: pd.DataFrame, settings: Settings) -> str:
    if summary[["ci_low", "ci_high"]].dropna().empty:
        return " · no intervals: too few cases"
    return f" · bands: {settings.scores.confidence:.0%} intervals"
