"""How often an event comes that was forecast with some probability."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel, Table
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.scores.consistency import FEWEST_DAYS, consistency_bars
from stormdraw.scores.pooled import DAILY
from stormdraw.scores.statistics.event_probabilities import reliability, reliability_bins
from stormdraw.scores.sums import ratio

BARS = (
    "Pale bars are consistency bars: the observed frequency of a reliable forecast would lie in "
    "them in 90 % of samples. They take initial days as independent, but not the points and leads "
    "of one day, which share their weather: points taken as independent would make the bars many "
    f"times too short. There is none where fewer than {FEWEST_DAYS} days have such forecasts, or "
    "nearly all are of one day."
)


def draw_bars(
    axes: Axes,
    evidence: Evidence,
    system: str,
    weight: np.ndarray,
    event: np.ndarray,
    expected: np.ndarray,
) -> None:
    """The consistency bars of a system, from sums (day, bin), in its colour and pale."""
    mean = ratio(expected.sum(axis=0), weight.sum(axis=0))
    low, high = consistency_bars(weight, event, expected)
    colour = evidence.look(system).colour
    axes.vlines(mean, low, high, color=colour, alpha=0.3, linewidth=2.5, zorder=1.0)


def _daily_table(tables: xr.Dataset, index: int) -> Table | None:
    """Those of each day (day, probability), if the event occurred."""
    everywhere, with_event = (
        tables[f"{DAILY}probability_{what}_sum"].isel(threshold=index).values
        for what in ("weight", "event")
    )
    return (everywhere, with_event) if with_event.sum() > 0.0 else None


def draw(axes: Axes, evidence: Evidence) -> None:
    """Observed frequency of the event by its forecast probability, bars, and the diagonal."""
    event, by_system = evidence.middle(evidence.by_event(_daily_table))
    for system, (everywhere, with_event) in by_system.items():
        probability = np.linspace(0.0, 1.0, everywhere.shape[1])
        weight, events, expected = (
            np.array([reliability_bins(probability, own) for own in table])
            for table in (everywhere, with_event, everywhere * probability)
        )
        draw_bars(axes, evidence, system, weight, events, expected)
        totals = (own.sum(axis=0) for own in (weight, events, expected))
        axes.plot(*reliability(*totals), **evidence.line(system))
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
        f"Gaussian of a system known by its mean and spread. {BARS}"
    ),
    shows=lambda evidence: bool(evidence.event()[1]),
    draw=draw,
)
