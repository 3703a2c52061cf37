"""Maps of a score at each station: a row for each variable, a column for each system."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stormdraw.grids import Grid
from stormdraw.report.figure import Files
from stormdraw.report.graticule import draw_graticule, draw_scale_bar, map_grid
from stormdraw.report.mapped_case import MappedCase
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.stations.by_place import read_by_place
from stormdraw.settings import Settings
from stormdraw.variables import scored_order, vectors

# Of competing systems; more would be too small to read.
_MOST_SYSTEMS = 4

# Inches for the colour bars.
_COLOURS = 0.9


@dataclass(frozen=True)
class StationScore:
    """A column of `by_place` on maps: blue is good or low, and colours are alike around 0.

    `label` of the colours has the units of the variable in braces. `least` is the least value at
    the ends of the colours. The reference is left out of a score `against_reference`.
    """

    column: str
    title: str
    label: str
    colours: str
    least: float
    against_reference: bool = False


def draw_score(score: StationScore, settings: Settings, files: Files, output: Path) -> None:
    """Draw a score of a run at each station."""
    grid = MappedCase(next(iter(files.maps.values()))).grid
    draw_station_maps(settings, read_by_place(files.places), grid, score, output)


def draw_station_maps(
    settings: Settings, places: pd.DataFrame, grid: Grid, score: StationScore, output: str | Path
) -> None:
    """Draw a score of the competing systems at each station, over all cases and leads."""
    known = places[np.isfinite(places[score.column])]
    left_out = settings.scores.reference if score.against_reference else None
    systems = [
        one.name
        for one in settings.ensembles.in_role("contender", "reference")
        if one.name != left_out and (known["system"] == one.name).any()
    ][:_MOST_SYSTEMS]
    known = known[known["system"].isin(systems)]
    names = shown_variables(known)
    if not names:
        write_gap(output, score.title, "No station has such a score of a competing system.")
        return
    map_of = map_grid(grid)
    width = (WIDTH - _COLOURS) / max(len(systems), 2)
    size = (
        width * len(systems) + _COLOURS,
        0.5 + len(names) * (0.3 + 0.85 * width * map_of.aspect),
    )
    with drawn(output, size, score.title) as figure:
        rows = figure.subplots(len(names), len(systems), squeeze=False)
        for row, name in zip(rows, names, strict=True):
            _draw_row(figure, row, known[known["variable"] == name], name, systems, grid, score)
            for axes, system in zip(row, systems, strict=True):
                draw_graticule(axes, map_of, left=axes is row[0], bottom=row is rows[-1])
                axes.set_title(f"{name}: {system}")
        draw_scale_bar(rows[0][0], map_of)
        count = plural(known["station"].nunique(), "station")
        describe(
            figure,
            f"Maps of {score.title.lower()} at {count}, all cases and leads: {', '.join(names)} of "
            f"{', '.join(systems)}.",
        )


def shown_variables(places: pd.DataFrame) -> list[str]:
    """The variables at stations; wind speed stands for the components."""
    names = sorted(set(places["variable"]), key=scored_order)
    pairs = {*vectors(), *vectors().values()}
    return [name for name in names if "WIND10" not in names or name not in pairs]


def _draw_row(
    figure: Figure,
    row: np.ndarray,
    scores: pd.DataFrame,
    name: str,
    systems: list[str],
    grid: Grid,
    score: StationScore,
) -> None:
    end = max(float(np.quantile(np.abs(scores[score.column]), 0.95)), score.least)
    for axes, system in zip(row, systems, strict=True):
        own = scores[scores["system"] == system]
        x, y = grid.from_longitude_latitude(own["longitude"].to_numpy(), own["latitude"].to_numpy())
        dots = axes.scatter(
            x / 1000.0,
            y / 1000.0,
            c=own[score.column],
            s=22.0 if len(own) <= 300 else 5.0,
            cmap=score.colours,
            vmin=-end,
            vmax=end,
            edgecolors="#111111",
            linewidths=0.3,
            zorder=3,
            rasterized=len(own) > 1000,
        )
        left, right, bottom, top = map_grid(grid).extent
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", facecolor="#f2f3f5")
        axes.grid(visible=False)
    label = score.label.format(units_text(name))
    figure.colorbar(dots, ax=list(row), shrink=0.9, extend="both", label=label)
