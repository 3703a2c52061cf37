"""Fractions skill score against the width of the neighbourhood."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.scores.statistics.fractions_skill import fractions_skill_score

# The score (neighbourhood,) of the ensemble and of its matched mean.
Skill = tuple[np.ndarray, np.ndarray]


def read_skills(evidence: Evidence) -> tuple[str, dict[str, Skill]]:
    """The title of the middle one of the events that occurred, and each system's skill at it."""
    return evidence.middle(evidence.by_event(_skill))


def _skill(tables: xr.Dataset, index: int) -> Skill | None:
    if not tables.attrs["members"]:
        return None
    ensemble, matched = (
        fractions_skill_score(
            tables[f"{before}fss_difference_sum"].values[index],
            tables[f"{before}fss_reference_sum"].values[index],
        )
        for before in ("", "pmm_")
    )
    return (ensemble, matched) if np.isfinite(ensemble).any() else None


def draw(axes: Axes, evidence: Evidence) -> None:
    """A line for each ensemble, hollow markers for its matched mean, by width in grid points."""
    event, by_system = read_skills(evidence)
    widths = evidence.settings.scores.neighbourhoods
    for system, (ensemble, matched) in by_system.items():
        axes.plot(widths, ensemble, **evidence.line(system))
        axes.plot(
            widths, matched, **evidence.line(system, linestyle="none", markerfacecolor="white")
        )
    axes.set_xscale("log")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set(ylim=(0.0, 1.0), xlabel="width (grid points)")
    axes.set_title(f"Fractions skill, {event}")


PANEL = Panel(
    place=9,
    caption=(
        "Fractions skill score: how well the share of a box that has the event is forecast, by the "
        "width of the box. 1 is perfect, 0 is the score of forecasts that never meet the events. A "
        "storm in a slightly wrong place costs little in a wide box. Solid markers are the "
        "ensemble's probability, hollow ones its probability-matched mean, a single field with the "
        "members' strength. It is a ratio of sums over all cases and leads; boxes end at the edge "
        "of the domain, and missing points are left out of them."
    ),
    shows=lambda evidence: bool(read_skills(evidence)[1]),
    draw=draw,
)
