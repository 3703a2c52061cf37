"""Hit rate against false alarm rate (relative operating characteristic)."""

from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.statistics.event_probabilities import roc


def draw(axes: Axes, evidence: Evidence) -> None:
    """A curve for each system, with the diagonal of guessing."""
    event, by_system = evidence.event()
    for system, tables in by_system.items():
        axes.plot(*roc(*tables), **evidence.line(system))
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="false alarm rate", ylabel="hit rate")
    axes.set_title(f"ROC, {event}")


PANEL = Panel(
    place=7,
    caption=(
        "ROC: hit rate against false alarm rate when a warning is given from one member on, from "
        "two and so on; the diagonal is guessing. It cannot see a bias in the probabilities, which "
        "reliability shows. An ensemble of more members has more points, which by itself makes the "
        "area under its curve larger."
    ),
    shows=lambda evidence: bool(evidence.event()[1]),
    draw=draw,
)
