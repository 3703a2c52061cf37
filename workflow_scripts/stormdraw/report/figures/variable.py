"""All panels of one variable."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from stormdraw.report.figure import Files, ReportFigure
from stormdraw.report.panel import Evidence, all_panels, panels_of, read_evidence
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.summary import cases_in, crps_kind, systems_in
from stormdraw.report.wording import counted, units_text
from stormdraw.settings import Settings
from stormdraw.variables import variable

_COLUMNS = 4
# Inches: a row of panels with its labels, and the heading of the figure.
_ROW, _HEADING = 2.35, 0.55


def draw(settings: Settings, files: Files, output: Path) -> None:
    """Draw the panels of the variable `files.of`, or state that no system has it."""
    name = files.of
    title = f"{variable(name).long_name.capitalize()} ({name})"
    evidence = read_evidence(settings, name, files.summary, files.statistics)
    shown = panels_of(evidence)
    if not shown:
        write_gap(output, title, f"No system has a score of {name}.")
        return
    rows = -(-(len(shown) + 1) // _COLUMNS)
    height = _HEADING + rows * _ROW
    cases = counted(cases_in(evidence.summary), "case")
    with drawn(output, (WIDTH, height), title, layout=None) as figure:
        # Positions are explicit: a layout that measures every label takes most of the time.
        grid = figure.subplots(
            rows,
            _COLUMNS,
            squeeze=False,
            gridspec_kw={
                "left": 0.055,
                "right": 0.99,
                "top": 1.0 - _HEADING / height,
                "bottom": 0.47 / height,
                "wspace": 0.36,
                "hspace": 0.46,
            },
        )
        *places, last = list(grid.flat)[: len(shown) + 1]
        for axes, panel in zip(places, shown, strict=True):
            panel.draw(axes, evidence)
        _legend(last, evidence)
        for unused in list(grid.flat)[len(shown) + 1 :]:
            unused.set_axis_off()
        figure.text(
            *(0.008, 1.0 - 0.07 / height),
            f"{title} · {cases} · {units_text(name)}",
            va="top",
            weight="bold",
        )
        titles = ", ".join(axes.get_title(loc="left") for axes in places)
        systems = ", ".join(systems_in(evidence.summary, settings))
        describe(figure, f"{title}, {cases}: {titles}. Systems: {systems}.")


def _legend(axes: Axes, evidence: Evidence) -> None:
    axes.set_axis_off()
    for system in systems_in(evidence.summary, evidence.settings):
        kind = crps_kind(evidence.summary, system, evidence.variable)
        face = "white" if kind == "crps_gaussian" else evidence.look(system).colour
        axes.plot(
            [], [], **evidence.line(system), markerfacecolor=face, label=_label(system, evidence)
        )
    axes.legend(loc="center left", fontsize=7, handlelength=2.6, borderpad=0.0, borderaxespad=0.0)


def _label(system: str, evidence: Evidence) -> str:
    rows: pd.DataFrame = evidence.summary[evidence.summary["system"] == system]
    if crps_kind(evidence.summary, system, evidence.variable) == "crps_gaussian":
        return f"{system} (mean and spread)"
    return f"{system} (1 member)" if (rows["members"] == 1).all() else system


FIGURE = ReportFigure(
    title="One variable",
    category="Variables",
    caption=" ".join(
        [
            "Panels without a lead axis combine all leads.",
            *(panel.caption for panel in all_panels()),
        ]
    ),
    reads=("summary", "statistics"),
    settings=("variables", "ensembles.systems", "scores.neighbourhoods"),
    draw=draw,
    each="variable",
)
