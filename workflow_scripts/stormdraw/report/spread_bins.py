"""Error where the spread is small, and where it is large."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.style import (
    NOTE_COLOUR,
    WIDTH,
    describe,
    drawn,
    legend_of,
    looks,
    panels,
    write_gap,
)
from stormdraw.report.wording import plural, units_text
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

TITLE = "Error by spread"

_COLUMNS = 4

# Bins with less than this share of the weight are noise.
_LEAST_SHARE = 0.002


def draw_spread_bins(
    settings: Settings, score_paths: Mapping[str, Sequence[str | Path]], output: str | Path
) -> None:
    """Draw a panel for each variable: RMSE of the mean in bins of the spread, with the 1:1 line."""
    relations = {}
    for key, tables in ScoreFiles.of(score_paths).tables.items():
        if tables.attrs["members"] != 1 and len(relation(tables)[0]) > 1:
            relations[key] = relation(tables)
    names = [
        name
        for name in scored_variables(list(settings.variables))
        if any(name == other for other, _ in relations)
    ]
    if not names:
        write_gap(output, TITLE, "No system has a spread that differs from point to point.")
        return
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    columns = min(_COLUMNS, len(names))
    height = 0.75 + 2.2 * -(-len(names) // columns)
    with drawn(output, (WIDTH * max(columns, 2) / _COLUMNS, height), TITLE) as figure:
        each, lowest = panels(figure, len(names), columns)
        for axes, name in zip(each, names, strict=True):
            for system in [s.name for s in settings.ensembles.systems]:
                if (name, system) in relations:
                    look = looks(settings)[system]
                    style: dict[str, Any] = {
                        "color": look.colour,
                        "linestyle": look.dash,
                        "marker": look.marker,
                    }
                    axes.plot(*relations[name, system], **style, markersize=3.0, label=system)
            axes.axline((1.0, 1.0), (2.0, 2.0), color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
            axes.set(title=f"{name}  ({units_text(name)})", xscale="log", yscale="log")
            for axis in (axes.xaxis, axes.yaxis):
                _label_few(axis)
            if axes in lowest:
                axes.set_xlabel("spread")
        each[0].set_ylabel("RMSE of the mean")
        legend_of(figure, each, settings, f"In bins of half an octave of spread · {cases}")
        describe(
            figure,
            f"RMSE of the ensemble mean in bins of the spread, with the 1:1 line, for "
            f"{', '.join(names)}; all leads and {cases}.",
        )


def _label_few(axis: Axis) -> None:
    """Plain numbers, few enough to stand side by side in a small panel."""
    low, high = axis.get_view_interval()
    subs = (1.0,) if high > 50.0 * low else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def relation(tables: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Spread and RMSE in each bin that holds enough, (bin,).

    The spread holds the factor sqrt((M + 1) / M), so that a calibrated ensemble's bins lie on the
    1:1 line.
    """
    weight = tables["spread_bin_weight_sum"].values
    enough = weight > max(_LEAST_SHARE * weight.sum(), 0.0)
    members = int(tables.attrs["members"])
    inflation = 1.0 + 1.0 / members if members else 1.0
    variance = inflation * tables["spread_bin_variance_sum"].values[enough] / weight[enough]
    error = tables["spread_bin_squared_error_sum"].values[enough] / weight[enough]
    positive = (variance > 0.0) & (error > 0.0)
    return np.sqrt(variance[positive]), np.sqrt(error[positive])
