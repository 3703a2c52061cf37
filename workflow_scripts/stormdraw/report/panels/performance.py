"""Hit rate against success ratio (performance diagram)."""

import numpy as np
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.statistics.event_probabilities import performance


def draw(axes: Axes, evidence: Evidence) -> None:
    """A curve for each system over lines of equal critical success index."""
    event, by_system = evidence.event()
    for system, tables in by_system.items():
        success, hit_rate, _, _ = performance(*tables)
        axes.plot(success[1:], hit_rate[1:], **evidence.line(system))
    ratio, rate = np.meshgrid(np.linspace(0.01, 1.0, 60), np.linspace(0.01, 1.0, 60))
    axes.contour(
        ratio,
        rate,
        1.0 / (1.0 / ratio + 1.0 / rate - 1.0),
        levels=[0.1, 0.3, 0.5, 0.7, 0.9],
        colors=NOTE_COLOUR,
        linewidths=0.4,
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="success ratio", ylabel="hit rate")
    axes.set_title(f"Performance, {event}")


PANEL = Panel(
    place=8,
    caption=(
        "Performance: hit rate against success ratio, the share of warnings that came true, with "
        "lines of equal critical success index; the upper right corner is perfect."
    ),
    shows=lambda evidence: bool(evidence.event()[1]),
    draw=draw,
)
