"""Error where the spread is small, and where it is large."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.report.wording import units_text

# Bins with less than this share of the weight are noise.
_LEAST_SHARE = 0.002


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


def _relations(evidence: Evidence) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of the systems whose spread differs from point to point."""
    found = {
        system: relation(tables)
        for system, tables in evidence.tables.items()
        if tables.attrs["members"] != 1
    }
    return {system: pair for system, pair in found.items() if len(pair[0]) > 1}


def draw(axes: Axes, evidence: Evidence) -> None:
    """RMSE of the mean in bins of the spread, with the 1:1 line."""
    for system, pair in _relations(evidence).items():
        axes.plot(*pair, **evidence.line(system))
    axes.axline((1.0, 1.0), (2.0, 2.0), color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
    axes.set(title="Error by spread", xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        _label_few(axis)
    axes.set_xlabel(f"spread ({units_text(evidence.variable)})")
    axes.set_ylabel("RMSE of the mean")


def _label_few(axis: Axis) -> None:
    """Plain numbers, few enough to stand side by side in a small panel."""
    low, high = axis.get_view_interval()
    subs = (1.0,) if high > 50.0 * low else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


PANEL = Panel(
    place=11,
    caption=(
        "Error by spread: points are sorted by the ensemble's spread into bins of half an octave; "
        "each marker is the error of the mean in one bin. An ensemble that knows where it is "
        "unsure lies on the diagonal; on a flat line the spread says nothing about the error. Bins "
        "with fewer than 0.2 % of the points are not shown."
    ),
    shows=lambda evidence: bool(_relations(evidence)),
    draw=draw,
)
