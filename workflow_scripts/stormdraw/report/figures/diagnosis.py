"""A model from the inside: noise levels, the condition, spectra, impossible points."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from stormdraw.report.diagnoses import looked_at, names_of, read_diagnosis, was_shuffled
from stormdraw.report.figure import ReportFigure
from stormdraw.report.style import NOTE_COLOUR, WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import plural, units_text

TITLE = "Diagnosis of {model}"

_COLUMNS = 4
_RIGHT, _WRONG, _STANDARD = "#0072B2", "#D55E00", "#6b7280"

# Inches: a row of panels, what is above and below the panels of a block, and the block of dots.
_ROW = 1.5
_ABOVE, _BELOW = 0.62, 0.52
_DOTS = 2.4
_TOP = 0.3

# Ratios of variance beyond these are drawn at the edge.
_SPECTRUM_LIMITS = (0.1, 30.0)


@dataclass(frozen=True)
class _Place:
    """A block's place in the figure: its upper and lower edge as fractions of the height.

    Placed by hand: matplotlib needs seconds to find a layout for so many axes.
    """

    figure: Figure
    top: float
    bottom: float

    def grid(self, rows: int, columns: int, **margins: float) -> GridSpec:
        """Axes between the block's heading and what stands below them."""
        inch = 1.0 / self.figure.get_figheight()
        edges = {"left": 0.055, "right": 0.99, "wspace": 0.25, "hspace": 0.42} | margins
        edges |= {"top": self.top - _ABOVE * inch, "bottom": self.bottom + _BELOW * inch}
        return self.figure.add_gridspec(rows, columns, **edges)


def draw_diagnosis(path: str | Path, output: str | Path) -> None:
    """Draw a model's diagnosis: a panel a variable of denoising error and of spectra, then dots.

    Models that forecast in one step have no noise levels, and no panels of them.
    """
    diagnosis = read_diagnosis(path)
    title = TITLE.format(model=diagnosis.attrs["model"])
    if "gap" in diagnosis.attrs:
        write_gap(output, title, f"Not diagnosed: {diagnosis.attrs['gap']}")
        return
    names = names_of(diagnosis)
    rows = _ABOVE + _BELOW + _ROW * -(-len(names) // _COLUMNS)
    blocks = [(rows, _draw_spectra), (_DOTS, _draw_dots)]
    if "denoising_error" in diagnosis:
        blocks.insert(0, (rows, _draw_denoising))
    height = _TOP + sum(own for own, _ in blocks)
    with drawn(output, (WIDTH, height), title, layout=None) as figure:
        edge = height - _TOP
        for own, draw in blocks:
            draw(_Place(figure, edge / height, (edge - own) / height), diagnosis, names)
            edge -= own
        figure.text(
            *(0.008, 1.0 - 0.6 * _TOP / height),
            f"{diagnosis.attrs['model']}: {looked_at(diagnosis)}",
            color=NOTE_COLOUR,
        )
        describe(figure, _described(diagnosis, names))


def _described(diagnosis: xr.Dataset, names: list[str]) -> str:
    parts = ["power spectra of members over the truth's", "fair CRPS with another case's condition"]
    if "denoising_error" in diagnosis:
        parts.insert(0, "denoising error by noise level")
    return (
        f"Of {diagnosis.attrs['model']}: {', '.join(parts)} and the share of impossible points, "
        f"for {', '.join(names)}; {looked_at(diagnosis)}."
    )


def _panels(place: _Place, names: list[str], label: str) -> dict[str, Axes]:
    """A panel for each variable; the lowest row says what is on x."""
    rows = -(-len(names) // _COLUMNS)
    grid = place.grid(rows, _COLUMNS)
    each = {}
    for index, name in enumerate(names):
        axes = place.figure.add_subplot(grid[index // _COLUMNS, index % _COLUMNS])
        axes.set_title(name)
        axes.set(xscale="log", yscale="log")
        lowest = index + _COLUMNS >= len(names)
        axes.tick_params(labelbottom=lowest)
        if index // _COLUMNS == rows - 1:
            axes.set_xlabel(label)
        each[name] = axes
    return each


def _plain_numbers(axes: Axes) -> None:
    """0.1, 1, 10 on both axes, and no ticks between."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())


def _head(place: _Place, axes: Axes, text: str) -> None:
    """The block's title, and under it the legend of one of its panels."""
    handles, labels = axes.get_legend_handles_labels()
    place.figure.legend(
        handles,
        labels,
        title=text,
        title_fontproperties={"weight": "bold"},
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(0.008, place.top),
        ncols=4,
        handlelength=2.6,
        borderpad=0.0,
        borderaxespad=0.0,
    )


def _draw_denoising(place: _Place, diagnosis: xr.Dataset, names: list[str]) -> None:
    each = _panels(place, names, r"noise over signal, $\sigma / \alpha$")
    ratio = diagnosis["noise_over_signal"].values
    right, wrong = (diagnosis["denoising_error"].sel(condition=c) for c in ("right", "shuffled"))
    for name, axes in each.items():
        alone = diagnosis["error_of_points"].sel(variable=name)
        axes.plot(ratio, alone, color=_STANDARD, linestyle="dashed", label="each point alone")
        if was_shuffled(diagnosis):
            axes.plot(ratio, wrong.sel(variable=name), color=_WRONG, marker="s", label="shuffled")
        axes.plot(ratio, right.sel(variable=name), color=_RIGHT, marker="o", label="the model")
        axes.margins(x=0.04)
        _plain_numbers(axes)
    counts = plural(len(ratio), "noise level")
    _head(
        place,
        next(iter(each.values())),
        f"Mean squared denoising error where the target has variance 1, at {counts}",
    )


def _draw_spectra(place: _Place, diagnosis: xr.Dataset, names: list[str]) -> None:
    each = _panels(place, names, "wavelength (km)")
    length = diagnosis["wavelength"].values
    for name, axes in each.items():
        of_one = diagnosis.sel(variable=name)
        styles: tuple[tuple[str, dict[str, Any]], ...] = (
            ("", {"color": _STANDARD, "linewidth": 1.0, "linestyle": "dashed", "label": "state"}),
            ("change_", {"color": _RIGHT, "linewidth": 1.5, "label": "change in the hour"}),
        )
        for kind, style in styles:
            truth = of_one[f"spectrum_{kind}truth"].values
            own = of_one[f"spectrum_{kind}members"].values
            relative = np.divide(own, truth, out=np.full(own.shape, np.nan), where=truth > 0.0)
            axes.plot(length, np.clip(relative, *_SPECTRUM_LIMITS), **style)
        axes.axhline(1.0, color="#111111", linewidth=0.8)
        axes.set_ylim(*_SPECTRUM_LIMITS)
        # Beyond two grid lengths are the corners of the plane of wavenumbers.
        axes.set_xlim(length.max(), 2.0 * float(diagnosis.attrs["grid_spacing_km"]))
        _plain_numbers(axes)
    _head(place, next(iter(each.values())), "Variance of one-hour members over the truth's")


def _draw_dots(place: _Place, diagnosis: xr.Dataset, names: list[str]) -> None:
    grid = place.grid(1, 2, left=0.1, wspace=0.28)
    condition, impossible = (place.figure.add_subplot(grid[0, column]) for column in (0, 1))
    places = np.arange(len(names))[::-1]
    right, wrong = (diagnosis["crps"].sel(condition=c).values for c in ("right", "shuffled"))
    persistence = diagnosis["persistence_error"].values
    with np.errstate(divide="ignore", invalid="ignore"):
        condition.plot(
            persistence / right, places, "x", color=_STANDARD, label="persistence (error)"
        )
        condition.plot(wrong / right, places, "s", color=_WRONG, label="shuffled")
    condition.axvline(1.0, color=_RIGHT, linewidth=1.2, label="right")
    condition.set_xlabel("fair CRPS at 1 h over that with the right condition")
    condition.set_xlim(left=0.0)
    marks = (
        ("drawn", "s", _WRONG, "full", "drawn"),
        ("drawn_beyond_precision", "s", _WRONG, "none", "visibly so"),
        ("truth", "+", "#111111", "full", "analyses"),
        ("bounded", "o", _RIGHT, "full", "within bounds"),
    )
    for stage, marker, colour, fill, label in marks:
        share = 100 * diagnosis["impossible_share"].sel(stage=stage).values
        impossible.plot(
            *(share, places, marker),
            color=colour,
            fillstyle=fill,
            markersize=7 if fill == "none" else 4,
            label=label,
            clip_on=False,
        )
    impossible.set_xlabel("impossible points (%)")
    impossible.set_xlim(left=0.0, right=max(1.0, impossible.get_xlim()[1]))
    for axes, title in ((condition, "Is the condition used?"), (impossible, "Impossible points")):
        axes.set_yticks(places, [f"{name} ({units_text(name)})" for name in names])
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.legend(
            title=title,
            title_fontproperties={"weight": "bold"},
            alignment="left",
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=4,
            columnspacing=1.2,
            handletextpad=0.3,
            borderpad=0.0,
        )


FIGURE = ReportFigure(
    title="Diagnosis of a model",
    category="Models",
    caption=(
        "A trained model from the inside, on a few pairs of hours that are not scored: of the "
        "validation period or, without one, of the end of the training period, which the "
        "model has seen. Denoising error: how far the clean state that the model sees in a "
        "noisy one is from the true one, by noise level, in the units of its target, whose "
        "variance is 1. It should lie far below the dashed line, the least error of what sees "
        "each point alone and knows nothing; where both meet, the model takes off no noise. "
        "Shuffled: the model is told another case's state, hour and terrain; if that changes "
        "nothing, it does not use its condition. Variance: of members one hour ahead over the "
        "truth's, of the state and of its change in the hour, which is what the model adds; "
        "it belongs on 1, below it members are too smooth, above it too noisy. Persistence is "
        "the error of nothing changing; neither it nor a change is shown of what a model "
        "diagnoses, whose present value it is not given. Impossible points are outside the "
        "physical bounds, or dew points above temperatures: as the model draws them, visibly so "
        "(by more than the archive resolves), in the analyses, and in members within bounds."
    ),
    reads=("diagnosis",),
    settings=(),
    draw=lambda settings, files, output: draw_diagnosis(files.diagnosis, output),
    each="model",
)
