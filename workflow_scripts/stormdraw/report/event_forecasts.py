"""Forecasts of "at least so much": reliability, ROC and performance diagrams."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.style import (
    NOTE_COLOUR,
    WIDTH,
    Look,
    describe,
    drawn,
    legend_of,
    looks,
    write_gap,
)
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.probabilities import performance, reliability_curve, roc
from stormdraw.settings import Settings

TITLE = "Forecasts of events"


def draw_event_forecasts(
    settings: Settings, score_paths: Mapping[str, Sequence[str | Path]], output: str | Path
) -> None:
    """Draw a row for each threshold: reliability, how often each probability, ROC, performance.

    `score_paths` gives the files of sufficient statistics of each system, one a case.
    """
    events = read_events(score_paths) if score_paths else {}
    if not events:
        write_gap(output, TITLE, "No threshold of scores.thresholds was reached in the truth.")
        return
    systems = [
        s.name for s in settings.ensembles.systems if any(s.name in e for e in events.values())
    ]
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    with drawn(output, (WIDTH, 0.6 + 2.2 * len(events)), TITLE) as figure:
        grid = figure.subplots(len(events), 4, squeeze=False)
        for row, ((name, threshold), tables) in zip(grid, events.items(), strict=True):
            for system in systems:
                if system in tables:
                    _system(row, *tables[system], system, looks(settings)[system])
            row[0].set_title(f"{name} at least {threshold:g} {units_text(name)}")
            _frame(row)
        legend_of(figure, list(grid[:, 0]), settings, f"All leads, {cases}, pooled")
        what = ", ".join(f"{name} >= {threshold:g}" for name, threshold in events)
        describe(
            figure,
            f"For {what}: reliability diagram, frequency of each forecast probability, ROC and "
            f"performance diagram of {', '.join(systems)}; all leads and {cases} pooled.",
        )


def read_events(
    score_paths: Mapping[str, Sequence[str | Path]],
) -> dict[tuple[str, float], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """The two tables (M + 1,) of each system, by (variable, threshold).

    A system known by mean and spread has the probabilities of its Gaussian, in hundredths.
    Thresholds that the truth never reached are left out.
    """
    events: dict[tuple[str, float], dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for (name, system), pooled in ScoreFiles.of(score_paths).tables.items():
        if "probability_weight_sum" not in pooled:
            continue
        for index, threshold in enumerate(pooled["threshold_value"].values):
            tables = _tables(pooled, index)
            if tables[1].sum() > 0.0:
                events.setdefault((name, float(threshold)), {})[system] = tables
    return dict(sorted(events.items()))


def _tables(pooled: xr.Dataset, index: int) -> tuple[np.ndarray, np.ndarray]:
    return (
        pooled["probability_weight_sum"].values[index],
        pooled["probability_event_sum"].values[index],
    )


def _system(
    row: Sequence[Axes], everywhere: np.ndarray, with_event: np.ndarray, system: str, look: Look
) -> None:
    diagram, frequencies, curve, quality = row
    probability = np.linspace(0.0, 1.0, len(everywhere))
    style: dict[str, Any] = {"color": look.colour, "linestyle": look.dash, "linewidth": 1.1}
    marked: dict[str, Any] = {**style, "marker": look.marker, "markersize": 3.0}
    diagram.plot(*reliability_curve(probability, everywhere, with_event), **marked, label=system)
    share = everywhere / everywhere.sum()
    frequencies.plot(probability, np.where(share > 0.0, share, np.nan), **marked)
    curve.plot(*roc(everywhere, with_event), **marked)
    success, hit_rate, _, _ = performance(everywhere, with_event)
    quality.plot(success[1:], hit_rate[1:], **marked)


def _frame(row: Sequence[Axes]) -> None:
    diagram, frequencies, curve, quality = row
    for axes in (diagram, curve, quality):
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_box_aspect(1)
    for axes in (diagram, curve):
        axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    success, hit_rate = np.meshgrid(np.linspace(0.01, 1.0, 60), np.linspace(0.01, 1.0, 60))
    quality.contour(
        success,
        hit_rate,
        1.0 / (1.0 / success + 1.0 / hit_rate - 1.0),
        levels=[0.1, 0.3, 0.5, 0.7, 0.9],
        colors=NOTE_COLOUR,
        linewidths=0.4,
    )
    frequencies.set_yscale("log")
    frequencies.set_box_aspect(1)
    diagram.set(xlabel="forecast probability", ylabel="observed frequency")
    frequencies.set(xlabel="forecast probability", ylabel="share of forecasts")
    curve.set(xlabel="false alarm rate", ylabel="hit rate")
    quality.set(xlabel="success ratio", ylabel="hit rate")
