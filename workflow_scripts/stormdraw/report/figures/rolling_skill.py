"""Skill over time: of the days up to each case."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from stormdraw.report.figure import Files, ReportFigure
from stormdraw.report.style import WIDTH, describe, drawn, looks, panels, write_gap
from stormdraw.scores.comparison import load_systems, variables
from stormdraw.scores.statistics.crps import crps_metrics, shared_crps
from stormdraw.scores.sums import Cases
from stormdraw.settings import Settings

TITLE = "Skill over time"

# Long enough to hold some weather, short enough to show that a model has changed.
DAYS = 7

_COLUMNS = 4


def draw(settings: Settings, files: Files, output: Path) -> None:
    """Draw the skill of each system against the reference, a panel for each variable."""
    reference = settings.scores.reference
    if reference is None:
        write_gap(output, TITLE, "There is no reference (scores.reference), and so no skill.")
        return
    systems = load_systems(files.statistics)
    skills = {
        name: rolling_skills(systems, name, reference) for name in variables(systems[reference])
    }
    look = looks(settings)
    with drawn(output, (WIDTH, 0.6 + 2.0 * -(-len(skills) // _COLUMNS)), TITLE) as figure:
        every, lowest = panels(figure, len(skills), _COLUMNS, sharex=True)
        for axes, (name, of_systems) in zip(every, skills.items(), strict=True):
            for system in [one.name for one in settings.ensembles.systems]:
                if system in of_systems:
                    own = of_systems[system]
                    axes.plot(
                        own["init"].values,
                        own.values,
                        color=look[system].colour,
                        linestyle=look[system].dash,
                        marker=look[system].marker,
                        markersize=3.0,
                        markevery=-(-len(own) // 30),
                        linewidth=1.1,
                        label=system,
                    )
            axes.axhline(0.0, color=look[reference].colour, linewidth=0.8)
            axes.set_title(name, loc="left")
        for axes in lowest:
            locator = AutoDateLocator(maxticks=5)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
            axes.tick_params(labelbottom=True)
        # Half a day beside them, so that a single case has an axis.
        inits, margin = systems[reference]["init"].values, np.timedelta64(12, "h")
        every[0].set_xlim(inits.min() - margin, inits.max() + margin)
        lines = [line for axes in every for line in axes.get_lines()[:-1]]
        handles = {str(line.get_label()): line for line in lines}
        figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=6)
        figure.suptitle(
            f"Skill against {reference}, of the {DAYS} days up to each case", x=0.01, ha="left"
        )
        describe(
            figure,
            f"Skill against {reference} by initial time, of the {DAYS} days up to each case, of "
            f"{', '.join(handles)}; a panel for each of {', '.join(skills)}.",
        )


def rolling_skills(
    systems: Mapping[str, xr.Dataset], variable: str, reference: str, days: int = DAYS
) -> dict[str, xr.DataArray]:
    """1 - CRPS / CRPS of the reference, (init,), by system; of the `days` up to each case.

    Both are sums over the cases of these days and means over leads. The CRPS is fair if both are
    ensembles, else that of Gaussians. Where either has nothing it is NaN.
    """
    inits = systems[reference]["init"].values
    age = inits[:, None] - inits[None, :]
    zero = np.timedelta64(0, "h")
    within = ((age >= zero) & (age < np.timedelta64(24 * days, "h"))).astype(np.float64)
    crps = {
        name: crps_metrics(Cases(system.sel(variable=variable), within))
        for name, system in systems.items()
        if variable in variables(system)
    }
    skills = {}
    for name, own in crps.items():
        if name == reference:
            continue
        metric = shared_crps(own, crps[reference])
        # A lead that either lacks counts for neither.
        both = np.isfinite(own[metric]) & np.isfinite(crps[reference][metric])
        ours = np.where(both, own[metric], 0.0).sum(axis=1)
        theirs = np.where(both, crps[reference][metric], 0.0).sum(axis=1)
        ratio = np.divide(ours, theirs, out=np.full(len(inits), np.nan), where=theirs > 0.0)
        skill = 1.0 - ratio
        skills[name] = xr.DataArray(skill, {"init": inits}, ("init",))
    return skills


FIGURE = ReportFigure(
    title=TITLE,
    category="Scores",
    caption=(
        f"1 - CRPS / CRPS of the reference, of the {DAYS} days up to each case and over all leads. "
        "Above the line a system is better than the reference. Neighbouring points share most of "
        "their cases: a wave is weather more often than a change of a model."
    ),
    reads=("statistics",),
    settings=("ensembles.systems", "scores.reference"),
    draw=draw,
    over_time=True,
)
