"""One variable on one sheet: CRPS, spread and error, ranks, reliability, boxes, spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stormdraw.report.crps_by_lead import crps_panel
from stormdraw.report.event_forecasts import read_events
from stormdraw.report.fractions_skill import read_skills, skill_panel
from stormdraw.report.rank_histograms import RankHistogram, read_histograms
from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.spectra import has_spectrum, spectrum_lines, wavelengths_of
from stormdraw.report.spread_error import (
    draw_system,
    label_diagrams,
    limit_diagram,
    spread_and_error,
)
from stormdraw.report.style import (
    NOTE_COLOUR,
    WIDTH,
    describe,
    drawn,
    lead_axis,
    looks,
    write_gap,
)
from stormdraw.report.summary import cases_in, crps_kind, leads_in, load_summary, systems_in
from stormdraw.report.wording import counted, units_text
from stormdraw.scores.probabilities import reliability_curve
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables, variable

# Bars of a rank histogram above this many times the flat line are beyond the axis.
_HIGHEST_RANK = 4.0

# Fractions of the figure, and of a panel between panels.
_MARGINS = {
    "left": 0.055,
    "right": 0.99,
    "top": 0.89,
    "bottom": 0.095,
    "wspace": 0.32,
    "hspace": 0.46,
}

Event = tuple[str, float]


@dataclass(frozen=True)
class Evidence:
    """Everything the sheets are drawn from, read once for all variables."""

    summary: pd.DataFrame
    spread_error: pd.DataFrame
    histograms: Mapping[tuple[str, str], RankHistogram]
    events: Mapping[Event, Mapping[str, tuple[np.ndarray, np.ndarray]]]
    skills: Mapping[Event, Mapping[str, tuple[np.ndarray, np.ndarray]]]
    pooled: Mapping[tuple[str, str], xr.Dataset]
    wavelengths: np.ndarray
    spacing: float


def read_evidence(
    summary_path: str | Path, score_paths: Mapping[str, Sequence[str | Path]]
) -> Evidence:
    """Read the summary and the sufficient statistics of each system, one file a case.

    Raises StormdrawError if the systems cannot be compared.
    """
    summary = load_summary(summary_path)
    files = ScoreFiles.of(score_paths)
    wavelengths, spacing = wavelengths_of(next(iter(files.values()))[0])
    return Evidence(
        summary,
        spread_and_error(summary),
        files.once(read_histograms),
        read_events(files),
        read_skills(files),
        files.tables,
        wavelengths,
        spacing,
    )


def draw_variables(
    settings: Settings,
    summary_path: str | Path,
    score_paths: Mapping[str, Sequence[str | Path]],
    outputs: Mapping[str, str | Path],
) -> None:
    """Draw the sheet of each variable of `outputs`; one that nobody has becomes a stated gap."""
    evidence = read_evidence(summary_path, score_paths)
    for name, output in outputs.items():
        draw_variable(settings, evidence, name, output)


def draw_variable(settings: Settings, evidence: Evidence, name: str, output: str | Path) -> None:
    """Draw one sheet: seven panels in two rows, and the systems' legend in the eighth place."""
    own = evidence.summary[evidence.summary["variable"] == name]
    title = f"{variable(name).long_name.capitalize()} ({name})"
    if own.empty or name not in scored_variables(list(settings.variables)):
        write_gap(output, title, f"No system has a score of {name}.")
        return
    cases = counted(cases_in(own), "case")
    with drawn(output, (WIDTH, 5.2), title, layout=None) as figure:
        axes = _places(figure)
        _crps(axes[0], evidence, settings, name)
        _spread_error(axes[1], axes[2], evidence, settings, name)
        _ranks(axes[3], evidence, settings, name)
        _reliability(axes[4], evidence, settings, name)
        _neighbourhoods(axes[5], evidence, settings, name)
        _spectra(axes[6], evidence, settings, name)
        _legend(figure, axes[7], own, settings)
        figure.text(
            0.008, 0.985, f"{title} · {cases} · {units_text(name)}", va="top", weight="bold"
        )
        describe(
            figure,
            f"{title}, {cases}: CRPS by lead, spread against error and their ratio, rank "
            "histogram, reliability, fractions skill score and power spectrum, of "
            f"{', '.join(systems_in(own, settings))}.",
        )


def _places(figure: Figure) -> list[Axes]:
    # Fixed places: a layout that measures every label takes most of the time of a drawing.
    grid = figure.subplots(
        2,
        4,
        gridspec_kw={
            "left": 0.055,
            "right": 0.99,
            "top": 0.89,
            "bottom": 0.095,
            "wspace": 0.32,
            "hspace": 0.46,
        },
    )
    return list(grid.flat)


def _crps(axes: Axes, evidence: Evidence, settings: Settings, name: str) -> None:
    crps_panel(axes, evidence.summary, settings, name)
    axes.set_title("CRPS: low is good")
    axes.set_ylabel(units_text(name))
    lead_axis(axes, leads_in(evidence.summary), label=True)


def _spread_error(
    diagram: Axes, ratio: Axes, evidence: Evidence, settings: Settings, name: str
) -> None:
    points = evidence.spread_error[evidence.spread_error["variable"] == name]
    if points.empty:
        _say(diagram, "Spread and error", "no system has a spread")
        _say(ratio, "Spread / RMSE", "no system has a spread")
        return
    for system in [s.name for s in settings.ensembles.systems if s.name in set(points["system"])]:
        draw_system(diagram, ratio, points, system, looks(settings)[system])
    label_diagrams(diagram, ratio, name, leads_in(evidence.summary), first=True)
    limit_diagram(diagram, points, settings)
    diagram.set_box_aspect(None)
    diagram.set_title("Spread and error")
    ratio.set_title("Spread / RMSE: 1 is right")
    ratio.set_ylabel("")


def _ranks(axes: Axes, evidence: Evidence, settings: Settings, name: str) -> None:
    title = "Rank histogram: flat"
    found = {
        system.name: evidence.histograms[name, system.name]
        for system in settings.ensembles.systems
        if (name, system.name) in evidence.histograms
    }
    if not found:
        _say(axes, title, "no system has ranks")
        return
    for system, histogram in found.items():
        heights = histogram.relative()
        axes.stairs(
            np.minimum(heights, 2.0 * _HIGHEST_RANK),
            np.linspace(0.0, 1.0, len(heights) + 1),
            baseline=None,
            color=looks(settings)[system].colour,
            linestyle=looks(settings)[system].dash,
            linewidth=1.1,
        )
    axes.axhline(1.0, color=NOTE_COLOUR, linewidth=0.9)
    highest = max(float(histogram.relative().max()) for histogram in found.values())
    axes.set(xlim=(0, 1), ylim=(0, min(_HIGHEST_RANK, max(2.0, 1.1 * highest))), title=title)
    axes.set_xlabel("rank of the truth (0: below all)")


def _reliability(axes: Axes, evidence: Evidence, settings: Settings, name: str) -> None:
    threshold = _middle(evidence.events, name)
    if threshold is None:
        _say(axes, "Reliability", _no_event(settings, name))
        return
    for system, (everywhere, with_event) in evidence.events[name, threshold].items():
        look = looks(settings)[system]
        axes.plot(
            *reliability_curve(np.linspace(0.0, 1.0, len(everywhere)), everywhere, with_event),
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=3.0,
            linewidth=1.1,
        )
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.8, zorder=0.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="forecast probability")
    axes.set_title(f"Reliability, ≥ {threshold:g} {units_text(name)}")


def _neighbourhoods(axes: Axes, evidence: Evidence, settings: Settings, name: str) -> None:
    threshold = _middle(evidence.skills, name)
    if threshold is None:
        _say(axes, "Fractions skill score", _no_event(settings, name))
        return
    skill_panel(axes, evidence.skills[name, threshold], settings)
    axes.set_title(f"Fractions skill, ≥ {threshold:g} {units_text(name)}")
    axes.set_xlabel("width (grid points)")


def _spectra(axes: Axes, evidence: Evidence, settings: Settings, name: str) -> None:
    title = "Variance / the truth's"
    systems = [
        system.name
        for system in settings.ensembles.systems
        if (name, system.name) in evidence.pooled
        and has_spectrum(evidence.pooled[name, system.name])
    ]
    if not systems:
        _say(axes, title, "no field is whole")
        return
    for system in systems:
        spectrum_lines(axes, evidence.pooled[name, system], evidence.wavelengths, system, settings)
    axes.axhline(1.0, color=NOTE_COLOUR, linewidth=0.8)
    axes.set(title=title, xscale="log", yscale="log", ylim=(1e-3, 10.0))
    axes.set_xlim(evidence.wavelengths.max(), 2.0 * evidence.spacing)
    axes.set_xlabel("wavelength (km)")


def _legend(figure: Figure, axes: Axes, own: pd.DataFrame, settings: Settings) -> None:
    axes.set_axis_off()
    for system in systems_in(own, settings):
        look = looks(settings)[system]
        kind = crps_kind(own, system, str(own["variable"].iloc[0]))
        axes.plot(
            [],
            [],
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markerfacecolor="white" if kind == "crps_gaussian" else look.colour,
            label=system,
        )
    axes.legend(loc="center left", handlelength=2.6, borderpad=0.0, borderaxespad=0.0)


def _middle(events: Mapping[Event, object], name: str) -> float | None:
    """The middle one of the thresholds of a variable that were reached."""
    thresholds = sorted(threshold for other, threshold in events if other == name)
    return thresholds[len(thresholds) // 2] if thresholds else None


def _no_event(settings: Settings, name: str) -> str:
    if settings.scores.thresholds.get(name):
        return "no threshold was reached"
    return f"no threshold of {name}\nin scores.thresholds"


def _say(axes: Axes, title: str, reason: str) -> None:
    """An empty panel that says why it is."""
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", color=NOTE_COLOUR
    )
