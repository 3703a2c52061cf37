"""How often an event comes near a point, or at it, that its neighbourhood forecast."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.panels.reliability import draw_bars
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.pooled import DAILY
from stormdraw.scores.statistics.event_probabilities import reliability

# The weights of all points and of those with the event, and weight times probability, (day, class).
Classes = tuple[np.ndarray, np.ndarray, np.ndarray]
# Of these, x and y.
Curve = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def read_classes(evidence: Evidence, kind: str) -> tuple[str, int, dict[str, Classes]]:
    """The title of the rarest event that occurred, a middle width, and each system's classes.

    `kind` is nep, of the event at the point, or nmep, of it anywhere in the neighbourhood.
    """
    widths = evidence.settings.scores.neighbourhoods
    place = len(widths) // 2

    def classes(tables: xr.Dataset, index: int) -> Classes | None:
        if f"{kind}_weight_sum" not in tables:
            return None
        weight, event, probability = (
            tables[f"{DAILY}{kind}_{name}_sum"].values[:, index, place]
            for name in ("weight", "event", "probability")
        )
        return (weight, event, probability) if event.sum() > 0.0 else None

    event, by_system = evidence.rarest(evidence.by_event(classes))
    return event, widths[place], by_system


def draw_curves(axes: Axes, evidence: Evidence, what: str, curve: Curve) -> None:
    """A line for what is near, hollow markers for the point itself, with the diagonal."""
    event, width, near = read_classes(evidence, "nmep")
    for system, classes in near.items():
        axes.plot(*curve(*(own.sum(axis=0) for own in classes)), **evidence.line(system))
    for system, classes in read_classes(evidence, "nep")[2].items():
        hollow = evidence.line(system, linestyle="none", markerfacecolor="white")
        axes.plot(*curve(*(own.sum(axis=0) for own in classes)), **hollow)
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_title(f"{what}, {event}, {width} points")


def draw(axes: Axes, evidence: Evidence) -> None:
    """Observed frequency of the event for each forecast probability, with bars of what is near."""
    for system, classes in read_classes(evidence, "nmep")[2].items():
        draw_bars(axes, evidence, system, *classes)
    draw_curves(axes, evidence, "Near", reliability)
    axes.set(xlabel="forecast probability", ylabel="observed frequency")


PANEL = Panel(
    place=12,
    caption=(
        "Reliability of neighbourhood probabilities (Schwartz and Sobash 2017), for the rarest "
        "event that occurred, in boxes of the width in the title. Solid markers: the "
        "neighbourhood maximum ensemble probability, the share of members with the event anywhere "
        "in the box, against the truth anywhere in the box. Hollow markers: the neighbourhood "
        "ensemble probability, the fraction of the box with the event, averaged over members, "
        "against the truth at the point. On the diagonal the event occurs as often as forecast. "
        "Pale bars are consistency bars of the solid markers, as in the reliability diagram."
    ),
    shows=lambda evidence: bool(read_classes(evidence, "nmep")[2]),
    draw=draw,
)
