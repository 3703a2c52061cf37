"""Hit rate against false alarm rate of neighbourhood probabilities."""

from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.panels.neighbourhood_reliability import draw_curves, read_classes
from stormdraw.scores.statistics.event_probabilities import roc


def draw(axes: Axes, evidence: Evidence) -> None:
    """Hit rate against false alarm rate, warning from each class of probabilities on."""
    draw_curves(axes, evidence, "ROC near", lambda weight, event, _: roc(weight, event))
    axes.set(xlabel="false alarm rate", ylabel="hit rate")


PANEL = Panel(
    place=13,
    caption=(
        "ROC of the same probabilities, with the same markers. Each point is a warning given at "
        "some probability or more: 0, anything above 0, 2 %, 5 %, 15 % and so on to 95 %. They are "
        "the same for ensembles of all sizes."
    ),
    shows=lambda evidence: bool(read_classes(evidence, "nmep")[2]),
    draw=draw,
)
