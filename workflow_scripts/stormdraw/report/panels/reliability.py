"""How often an event comes that was forecast with some probability."""

import numpy as np
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.statistics.event_probabilities import reliability_curve


def draw(axes: Axes, evidence: Evidence) -> None:
    """Observed frequency of the event by its forecast probability, with the diagonal."""
    event, by_system = evidence.event()
    for system, (everywhere, with_event) in by_system.items():
        probability = np.linspace(0.0, 1.0, len(everywhere))
        axes.plot(*reliability_curve(probability, everywhere, with_event), **evidence.line(system))
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="forecast probability")
    axes.set_ylabel("observed frequency")
    axes.set_title(f"Reliability, {event}")


PANEL = Panel(
    place=5,
    caption=(
        "Reliability of the middle one, by frequency, of the events that occurred: on the diagonal "
        "the event occurs as often as it was forecast; a flatter line is an ensemble too sure of "
        "itself. The forecast probability is the share of members with the event, or that of the "
        "Gaussian of a system known by its mean and spread."
    ),
    shows=lambda evidence: bool(evidence.event()[1]),
    draw=draw,
)
