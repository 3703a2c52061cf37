"""Spread of the ensemble against the error of its mean."""

from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.spread_error import spread_and_error
from stormdraw.report.style import NOTE_COLOUR, note_in_corner
from stormdraw.report.wording import units_text


def draw(axes: Axes, evidence: Evidence) -> None:
    """A point for each lead, hollow at the first, with the 1:1 line."""
    points = spread_and_error(evidence)
    for system, own in points.groupby("system", sort=False):
        line = evidence.line(str(system))
        axes.plot(own["rmse"], own["spread"], **line)
        first = own.iloc[:1]
        axes.plot(first["rmse"], first["spread"], **line, markerfacecolor="white", zorder=3)
    axes.axline((0.0, 0.0), slope=1.0, color=NOTE_COLOUR, linewidth=0.9, zorder=0.5)
    axes.locator_params(nbins=4)
    axes.set(title="Spread and error", ylabel="spread")
    axes.set_xlabel(f"RMSE of the mean ({units_text(evidence.variable)})")
    contenders = points[~points["system"].isin(evidence.settings.baselines())]
    shown = points if contenders.empty else contenders
    limit = 1.12 * float(shown[["rmse", "spread"]].to_numpy().max())
    # From 0, unless that leaves more than half of the panel empty.
    least = float(shown[["rmse", "spread"]].to_numpy().min())
    start = 0.85 * least if least > limit / 2 else 0.0
    axes.set(xlim=(start, limit), ylim=(start, limit))
    beyond = points[(points[["rmse", "spread"]] > limit).any(axis=1)]
    if not beyond.empty:
        note_in_corner(axes, "beyond the axes:", *dict.fromkeys(beyond["system"]))


PANEL = Panel(
    place=2,
    caption=(
        "Spread and error: the ensemble's spread against the root mean square error (RMSE) of its "
        "mean, a point for each lead, hollow at the first. On the line they are equal, and the "
        "ensemble knows how wrong it is; below it members are too alike. Spread holds the factor "
        "sqrt((M + 1) / M) of M members, so that ensembles of different sizes can be compared, and "
        "variances and squared errors are averaged over cases before the root."
    ),
    shows=lambda evidence: not spread_and_error(evidence).empty,
    draw=draw,
)
