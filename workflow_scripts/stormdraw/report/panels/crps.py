"""CRPS against lead."""

import pandas as pd
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import lead_axis, note_in_corner
from stormdraw.report.summary import crps_kind, leads_in, select, systems_in
from stormdraw.report.wording import units_text

# A baseline this many times above every other system would flatten their lines.
_FAR = 2.5


def draw(axes: Axes, evidence: Evidence) -> None:
    """A line for each system, with its interval; baselines go without one."""
    for system, kind, rows in _systems(evidence):
        look = evidence.look(system)
        face = "white" if kind == "crps_gaussian" else look.colour
        axes.plot(
            rows.index.to_numpy(), rows["value"], **evidence.line(system), markerfacecolor=face
        )
        # Six bands on each other are grey.
        if system not in evidence.settings.baselines():
            _interval(axes, rows.dropna(subset=["ci_low", "ci_high"]), look.colour)
    axes.set_title("CRPS: low is good")
    axes.set_ylabel(units_text(evidence.variable))
    axes.set_ylim(bottom=0.0)
    lead_axis(axes, leads_in(evidence.summary), label=True)
    _limit_to_contenders(axes, evidence)


def _systems(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """(system, metric, rows by lead) of each that has a CRPS."""
    found = []
    for system in systems_in(evidence.summary, evidence.settings):
        kind = crps_kind(evidence.summary, system, evidence.variable)
        if kind is not None:
            found.append((system, kind, select(evidence.summary, system, evidence.variable, kind)))
    return found


def _interval(axes: Axes, known: pd.DataFrame, colour: str) -> None:
    if len(known) > 1:
        axes.fill_between(
            known.index.to_numpy(),
            known["ci_low"],
            known["ci_high"],
            color=colour,
            alpha=0.10,
            linewidth=0,
        )
    elif len(known) == 1:
        axes.vlines(known.index, known["ci_low"], known["ci_high"], color=colour, alpha=0.5)


def _limit_to_contenders(axes: Axes, evidence: Evidence) -> None:
    """End the axis above the contenders if a baseline is far off, and say what it hides."""
    spans = {
        system: (float(rows["value"].min()), float(rows["value"].max()))
        for system, _, rows in _systems(evidence)
    }
    plain = evidence.settings.baselines()
    contenders = [top for system, (_, top) in spans.items() if system not in plain]
    if not contenders or max(contenders) <= 0.0:
        return
    limit = _FAR * max(contenders)
    far = {system: span for system, span in spans.items() if span[1] > limit}
    if far:
        axes.set_ylim(0.0, limit)
        note_in_corner(
            axes,
            "beyond the axis:",
            *(f"{system} {low:.3g} to {top:.3g}" for system, (low, top) in far.items()),
        )


PANEL = Panel(
    place=1,
    caption=(
        "CRPS by lead: the continuous ranked probability score, the lower the better, 0 is "
        "perfect. It is the fair CRPS, which does not reward an ensemble for its size, and of a "
        "single member the absolute error. Hollow markers are Gaussian CRPS, of a system known by "
        "its mean and spread only: compare them with each other only. Bands show how much a score "
        "would change with other days of weather; a hard day is hard for every system, so they do "
        "not tell two systems apart."
    ),
    shows=lambda evidence: bool(_systems(evidence)),
    draw=draw,
)
