"""How often each probability was forecast."""

import numpy as np
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel


def draw(axes: Axes, evidence: Evidence) -> None:
    """The share of all points by the probability that was forecast there."""
    event, by_system = evidence.event()
    for system, (everywhere, _) in by_system.items():
        share = everywhere / everywhere.sum()
        probability = np.linspace(0.0, 1.0, len(everywhere))
        axes.plot(probability, np.where(share > 0.0, share, np.nan), **evidence.line(system))
    axes.set_yscale("log")
    axes.set(xlabel="forecast probability", ylabel="share of forecasts")
    axes.set_title(f"Probabilities, {event}")


PANEL = Panel(
    place=6,
    caption=(
        "Probabilities: how many of all points had each forecast probability, on a logarithmic "
        "axis. Points of the reliability diagram with few forecasts mean little."
    ),
    shows=lambda evidence: bool(evidence.event()[1]),
    draw=draw,
)
