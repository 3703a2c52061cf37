"""Hit rate against false alarm rate of neighbourhood probabilities."""

from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.panels.neighbourhood_reliability import read_classes, title
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.statistics.event_probabilities import roc


def draw(axes: Axes, evidence: Evidence) -> None:
    """A line for what is near, hollow markers for the point itself, with the diagonal."""
    threshold, width, near = read_classes(evidence, "nmep")
    for system, (weight, event, _) in near.items():
        axes.plot(*roc(weight, event), **evidence.line(system))
    for system, (weight, event, _) in read_classes(evidence, "nep")[2].items():
        hollow = evidence.line(system, linestyle="none", markerfacecolor="white")
        axes.plot(*roc(weight, event), **hollow)
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="false alarm rate", ylabel="hit rate")
    axes.set_title(title("ROC near", evidence, threshold, width))


PANEL = Panel(
    place=13,
    caption=(
        "ROC near a point, of the same probabilities with the same markers, warning from 0, any, "
        "2 %, 5 %, 15 % and so on to 95 %: ensembles of all sizes have the same points."
    ),
    shows=lambda evidence: bool(read_classes(evidence, "nmep")[2]),
    draw=draw,
)
