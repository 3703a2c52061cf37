"""Spread against error of the ensemble mean, and their ratio over lead."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stormdraw.report.style import (
    NOTE_COLOUR,
    WIDTH,
    Look,
    baselines,
    describe,
    drawn,
    lead_axis,
    legend_of,
    looks,
    note_in_corner,
    write_gap,
)
from stormdraw.report.summary import (
    cases_in,
    leads_in,
    load_summary,
    systems_in,
    variables_in,
)
from stormdraw.report.wording import counted, units_text
from stormdraw.settings import Settings

TITLE = "Spread and error"

_COLUMNS = 4


def draw_spread_error(settings: Settings, summary_path: str | Path, output: str | Path) -> None:
    """Draw each system's spread against the RMSE of its mean, with the 1:1 line, and the ratio."""
    summary = load_summary(summary_path)
    points = spread_and_error(summary)
    variables = [
        name for name in variables_in(summary, settings) if (points["variable"] == name).any()
    ]
    if not variables:
        write_gap(output, TITLE, "No system has both a spread and an error of its mean.")
        return
    cases = counted(cases_in(summary), "case")
    with_spread = [name for name in systems_in(summary, settings) if name in set(points["system"])]
    columns = min(_COLUMNS, len(variables))
    bands = -(-len(variables) // columns)
    size = (WIDTH * max(columns, 2) / _COLUMNS, 0.75 + 3.8 * bands)
    with drawn(output, size, TITLE) as figure:
        each = _axes(figure, len(variables), columns)
        for index, ((diagram, ratio), name) in enumerate(zip(each, variables, strict=True)):
            of_variable = points[points["variable"] == name]
            for system in with_spread:
                draw_system(diagram, ratio, of_variable, system, looks(settings)[system])
            label_diagrams(diagram, ratio, name, leads_in(summary), first=index % columns == 0)
            limit_diagram(diagram, of_variable, settings)
        legend_of(
            figure,
            [ratio for _, ratio in each],
            settings,
            f"Spread against RMSE of the mean (hollow: first lead), and spread / RMSE · {cases}",
        )
        describe(
            figure,
            f"For each of {', '.join(variables)}: ensemble spread against RMSE of the ensemble "
            f"mean with the 1:1 line, and their ratio by lead, for {', '.join(with_spread)}; "
            f"{cases}.",
        )


def spread_and_error(summary: pd.DataFrame) -> pd.DataFrame:
    """Columns system, variable, lead_hours, rmse, ratio and spread where all are known.

    `spread` is ratio x RMSE: it holds the factor sqrt((M+1)/M) for M members, so that a calibrated
    ensemble lies on the 1:1 line whatever its size (Fortin et al. 2014,
    doi:10.1175/JHM-D-14-0008.1).
    """
    keys = ["system", "variable", "lead_hours"]
    wide = summary.pivot_table(index=keys, columns="metric", values="value")
    for metric in ("rmse", "spread_error_ratio"):
        if metric not in wide:
            return pd.DataFrame(columns=[*keys, "rmse", "ratio", "spread"])
    points = wide[["rmse", "spread_error_ratio"]].dropna().reset_index()
    points = points.rename(columns={"spread_error_ratio": "ratio"})
    points = points[np.isfinite(points["ratio"]) & (points["ratio"] > 0.0)]
    return points.assign(spread=points["ratio"] * points["rmse"])


def _axes(figure: Figure, count: int, columns: int) -> list[tuple[Axes, Axes]]:
    """(diagram, ratio below it) of each variable, in rows of `columns`."""
    bands = -(-count // columns)
    grid = figure.add_gridspec(2 * bands, columns, height_ratios=[2.0, 1.0] * bands)
    return [
        (
            figure.add_subplot(grid[2 * (index // columns), index % columns]),
            figure.add_subplot(grid[2 * (index // columns) + 1, index % columns]),
        )
        for index in range(count)
    ]


def draw_system(diagram: Axes, ratio: Axes, points: pd.DataFrame, system: str, look: Look) -> None:
    """Draw one system's spread against error, hollow at the first lead, and their ratio by lead."""
    own = points[points["system"] == system].sort_values("lead_hours")
    if own.empty:
        return
    options: dict[str, Any] = {
        "color": look.colour,
        "linestyle": look.dash,
        "marker": look.marker,
        "linewidth": 1.0,
    }
    diagram.plot(own["rmse"], own["spread"], **options)
    diagram.plot(
        own["rmse"].iloc[:1],
        own["spread"].iloc[:1],
        **{**options, "markerfacecolor": "white", "zorder": 3},
    )
    ratio.plot(own["lead_hours"], own["ratio"], **options, label=system)


def label_diagrams(diagram: Axes, ratio: Axes, name: str, leads: list[int], first: bool) -> None:
    """Titles, labels, and the lines of a calibrated ensemble."""
    units = units_text(name)
    diagram.set_title(f"{name}  ({units})")
    diagram.set_box_aspect(1)
    diagram.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
    diagram.locator_params(nbins=4)
    diagram.set_xlabel(f"RMSE of the mean ({units})")
    ratio.axhline(1.0, color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
    ratio.set_ylim(0.0, max(1.3, 1.1 * ratio.dataLim.ymax))
    lead_axis(ratio, leads, label=True)
    if first:
        diagram.set_ylabel("spread")
        ratio.set_ylabel("spread / RMSE")


def limit_diagram(diagram: Axes, points: pd.DataFrame, settings: Settings) -> None:
    """End both axes at the same value, the 1:1 line in the diagonal, and say what lies beyond."""
    contenders = points[~points["system"].isin(baselines(settings))]
    shown = points if contenders.empty else contenders
    limit = 1.12 * float(shown[["rmse", "spread"]].to_numpy().max())
    # From 0, unless that leaves more than half of the panel empty.
    least = float(shown[["rmse", "spread"]].to_numpy().min())
    start = 0.85 * least if least > limit / 2 else 0.0
    diagram.set(xlim=(start, limit), ylim=(start, limit))
    beyond = points[(points[["rmse", "spread"]] > limit).any(axis=1)]
    if not beyond.empty:
        note_in_corner(diagram, "beyond the axes:", *dict.fromkeys(beyond["system"]))
