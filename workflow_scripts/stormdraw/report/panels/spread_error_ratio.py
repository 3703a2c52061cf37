"""Spread over error, by lead."""

from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.spread_error import spread_and_error
from stormdraw.report.style import NOTE_COLOUR, lead_axis
from stormdraw.report.summary import leads_in


def draw(axes: Axes, evidence: Evidence) -> None:
    """A line for each system, and the line of a calibrated ensemble."""
    for system, own in spread_and_error(evidence).groupby("system", sort=False):
        axes.plot(own["lead_hours"], own["ratio"], **evidence.line(str(system)))
    axes.axhline(1.0, color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
    axes.set_ylim(0.0, max(1.3, 1.1 * axes.dataLim.ymax))
    axes.set_title("Spread / RMSE: 1 is right")
    lead_axis(axes, leads_in(evidence.summary), label=True)


PANEL = Panel(
    place=3,
    caption="Spread / RMSE: the same as a ratio, by lead. An ensemble below 1 is too sure of "
    "itself.",
    shows=lambda evidence: not spread_and_error(evidence).empty,
    draw=draw,
)
