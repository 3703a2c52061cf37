"""The hours of the archive, day by day: available, replaced or absent."""

from pathlib import Path

import matplotlib.dates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from stormdraw.archive.audit import read_audit
from stormdraw.archive.manifest import ABSENT, EXCLUDED, OK, OLDER_RUN
from stormdraw.report.figure import ReportFigure
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import plural

TITLE = "Hours of the archive"

_HOURS = 24
_DAYS_WITH_LINES = 62

# The colours differ in lightness as well as in hue.
_LOOKS = {
    "": ("#f2f3f5", "not requested"),
    OK: ("#9ecae1", "available"),
    OLDER_RUN: ("#E69F00", "replaced by an older run"),
    ABSENT: ("#8b1a1a", "absent"),
    EXCLUDED: ("#6a6f78", "excluded"),
}
_KINDS = list(_LOOKS)


def draw_archive_audit(audit_path: str | Path, model: str, output: str | Path) -> None:
    """Draw the status of the analyses of a base model by day (x) and valid hour (y).

    Raises StormdrawError if the file is not an audit.
    """
    table = read_audit(audit_path)
    hours = worst_of_each_hour(table[table["source"] == model])
    if hours.empty:
        write_gap(output, TITLE, "This run requested no analyses.")
        return
    days, kinds = day_by_hour(hours)
    counts = {kind: int((hours["status"] == kind).sum()) for kind in _KINDS[1:]}
    with drawn(output, (WIDTH, 2.6), TITLE) as figure:
        axes = figure.add_subplot()
        _draw(axes, days, kinds)
        shown = [kind for kind in _KINDS if kind == "" or counts[kind]]
        labels = [
            f"{_LOOKS[kind][1]} ({counts[kind]})" if kind else _LOOKS[kind][1] for kind in shown
        ]
        figure.legend(
            handles=[
                Patch(facecolor=_LOOKS[kind][0], edgecolor="#8a8f98", label=label)
                for kind, label in zip(shown, labels, strict=True)
            ],
            loc="outside lower center",
            ncols=len(shown),
        )
        figure.suptitle(f"Analyses by valid time · {plural(len(hours), 'hour')}", x=0.01, ha="left")
        counted = ", ".join(label for kind, label in zip(shown, labels, strict=True) if kind)
        describe(figure, f"Heat map of the analyses by day and hour: {counted}.")


def worst_of_each_hour(files: pd.DataFrame) -> pd.DataFrame:
    """Of the files of each valid hour, which may be several, the one furthest from being there."""
    worst = files["status"].map(_KINDS.index).sort_values(kind="stable").index
    return files.loc[worst].drop_duplicates("valid", keep="last").sort_index()


def day_by_hour(files: pd.DataFrame) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """The days from first to last, and the index (hour, day) into the kinds; 0: not requested."""
    days = pd.date_range(files["valid"].min().normalize(), files["valid"].max().normalize())
    kinds = np.zeros((_HOURS, len(days)), dtype=int)
    column = (files["valid"].dt.normalize() - days[0]).dt.days
    kinds[files["valid"].dt.hour, column] = [_KINDS.index(status) for status in files["status"]]
    return days, kinds


def _draw(axes: Axes, days: pd.DatetimeIndex, kinds: np.ndarray) -> None:
    edges = matplotlib.dates.date2num([*days, days[-1] + pd.Timedelta(days=1)])
    colours = ListedColormap([colour for colour, _ in _LOOKS.values()])
    # Draw lines between the hours only where the cells are wide enough.
    few = len(days) <= _DAYS_WITH_LINES
    axes.pcolormesh(
        edges,
        np.arange(_HOURS + 1),
        kinds,
        cmap=colours,
        vmin=-0.5,
        vmax=len(_KINDS) - 0.5,
        rasterized=not few,
        edgecolors="white" if few else "none",
        linewidth=0.3 if few else 0.0,
    )
    axes.grid(visible=False)
    locator = matplotlib.dates.AutoDateLocator(maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(matplotlib.dates.ConciseDateFormatter(locator))
    axes.set_yticks(range(0, _HOURS + 1, 6))
    axes.set_ylabel("hour (UTC)")


FIGURE = ReportFigure(
    title="Hours of the archive",
    category="Archive",
    caption=(
        "The analyses that the run requested, by day (x axis) and hour (y axis): available, "
        "replaced by a later lead of an older run, absent or excluded. An hour is absent if no "
        "source holds it intact. Absent and excluded hours are left out for every system: training "
        "pairs that contain them, and cases whose initial state or truth they are. The table "
        "results/archive/audit.csv lists every file of every source and its faults."
    ),
    reads=("audit",),
    settings=("archive.model",),
    draw=lambda settings, files, output: draw_archive_audit(
        files.audit, settings.archive.model, output
    ),
)
