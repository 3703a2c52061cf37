"""Fractions skill score against the width of the neighbourhood."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.style import WIDTH, describe, drawn, legend_of, looks, panels, write_gap
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.neighbourhoods import fractions_skill_score
from stormdraw.settings import Settings

TITLE = "Fractions skill score"

_COLUMNS = 4


def draw_fractions_skill(
    settings: Settings, score_paths: Mapping[str, Sequence[str | Path]], output: str | Path
) -> None:
    """Draw a panel for each threshold: the score of each system by width, in grid points.

    Hollow markers are the probability-matched mean's.
    """
    skills = read_skills(score_paths) if score_paths else {}
    if not skills:
        write_gap(output, TITLE, "No threshold of scores.thresholds was reached.")
        return
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    columns = min(_COLUMNS, len(skills))
    height = 0.75 + 2.0 * -(-len(skills) // columns)
    with drawn(output, (WIDTH * max(columns, 2) / _COLUMNS, height), TITLE) as figure:
        each, lowest = panels(figure, len(skills), columns, sharey=True)
        for axes, ((name, threshold), by_system) in zip(each, skills.items(), strict=True):
            skill_panel(axes, by_system, settings)
            axes.set_title(f"{name} at least {threshold:g} {units_text(name)}")
            if axes in lowest:
                axes.set_xlabel("width (grid points)")
        legend_of(figure, each, settings, f"All leads, {cases} · hollow: matched mean")
        what = ", ".join(f"{name} >= {threshold:g}" for name, threshold in skills)
        describe(
            figure, f"Fractions skill score by width of the neighbourhood for {what}; {cases}."
        )


def read_skills(
    score_paths: Mapping[str, Sequence[str | Path]],
) -> dict[tuple[str, float], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """The score (neighbourhood,) of each ensemble and of its matched mean, by event and system."""
    skills: dict[tuple[str, float], dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for (name, system), pooled in ScoreFiles.of(score_paths).tables.items():
        if not pooled.attrs["members"] or "threshold_value" not in pooled:
            continue
        scores = [
            fractions_skill_score(
                pooled[f"{before}fss_difference_sum"].values,
                pooled[f"{before}fss_reference_sum"].values,
            )
            for before in ("", "pmm_")
        ]
        for index, threshold in enumerate(pooled["threshold_value"].values):
            if np.isfinite(scores[0][index]).any():
                key = (name, float(threshold))
                skills.setdefault(key, {})[system] = (scores[0][index], scores[1][index])
    return dict(sorted(skills.items()))


def skill_panel(
    axes: Axes, by_system: Mapping[str, tuple[np.ndarray, np.ndarray]], settings: Settings
) -> None:
    """Draw the skill of each system, and hollow that of its matched mean, by width."""
    widths = settings.scores.neighbourhoods
    for system, (ensemble, matched) in by_system.items():
        look = looks(settings)[system]
        style: dict[str, Any] = {
            "color": look.colour,
            "linestyle": look.dash,
            "marker": look.marker,
        }
        axes.plot(widths, ensemble, **style, label=system)
        axes.plot(widths, matched, **{**style, "linestyle": "none"}, markerfacecolor="white")
    axes.set_xscale("log")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set_ylim(0.0, 1.0)
