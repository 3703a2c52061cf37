"""Diagnosis of a model: denoising error, spectra, use of its condition, impossible points."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from stormdraw.report.diagnoses import has_shuffled, names_of, read_diagnosis, sample_of
from stormdraw.report.figure import ReportFigure
from stormdraw.report.style import NOTE_COLOUR, WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.sums import ratio

TITLE = "Diagnosis of {model}"

_COLUMNS = 4
_RIGHT, _WRONG, _STANDARD = "#0072B2", "#D55E00", "#6b7280"

# Inches: a row of panels, the space above and below the panels of a block, the block of dots, and
# the line at the top of the figure.
_ROW = 1.5
_ABOVE, _BELOW = 0.62, 0.52
_DOTS = 2.4
_TOP = 0.3

# Ratios of variance beyond these limits are drawn at the edge.
_SPECTRUM_LIMITS = (0.1, 30.0)


@dataclass(frozen=True)
class _Place:
    """The position of a block: its upper and lower edge as fractions of the figure's height.

    Positions are explicit because matplotlib takes seconds to lay out so many axes.
    """

    figure: Figure
    top: float
    bottom: float

    def grid(self, rows: int, columns: int, **margins: float) -> GridSpec:
        """A grid for axes between the block's heading and the labels below."""
        inch = 1.0 / self.figure.get_figheight()
        edges = {"left": 0.055, "right": 0.99, "wspace": 0.25, "hspace": 0.42} | margins
        edges |= {"top": self.top - _ABOVE * inch, "bottom": self.bottom + _BELOW * inch}
        return self.figure.add_gridspec(rows, columns, **edges)


def draw_diagnosis(path: str | Path, output: str | Path) -> None:
    """Draw a model's diagnosis: denoising error and spectra in a panel per variable, then dots.

    Models that forecast in one step have no noise levels and thus no denoising error.
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
    height = _TOP + sum(inches for inches, _ in blocks)
    with drawn(output, (WIDTH, height), title, layout=None) as figure:
        edge = height - _TOP
        for inches, draw in blocks:
            draw(_Place(figure, edge / height, (edge - inches) / height), diagnosis, names)
            edge -= inches
        figure.text(
            *(0.008, 1.0 - 0.6 * _TOP / height),
            f"{diagnosis.attrs['model']}: {sample_of(diagnosis)}",
            color=NOTE_COLOUR,
        )
        describe(figure, _described(diagnosis, names))


def _described(diagnosis: xr.Dataset, names: list[str]) -> str:
    parts = [
        "ratio of the power spectra of members and truth",
        "fair CRPS with another case's condition",
    ]
    if "denoising_error" in diagnosis:
        parts.insert(0, "denoising error by noise level")
    return (
        f"Diagnosis of {diagnosis.attrs['model']}: {', '.join(parts)} and the share of impossible "
        f"points, for {', '.join(names)}; {sample_of(diagnosis)}."
    )


def _panels(place: _Place, names: list[str], label: str) -> dict[str, Axes]:
    """A panel for each variable; `label` is the label of the x axis, below the last row."""
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
    """Label both axes 0.1, 1, 10, without minor ticks."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())


def _head(place: _Place, axes: Axes, text: str) -> None:
    """Draw the block's title, and under it the legend of its panels, taken from `axes`."""
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
    noise = diagnosis["noise_over_signal"].values
    right, wrong = (diagnosis["denoising_error"].sel(condition=c) for c in ("right", "shuffled"))
    for name, axes in each.items():
        pointwise = diagnosis["error_of_points"].sel(variable=name)
        axes.plot(noise, pointwise, color=_STANDARD, linestyle="dashed", label="each point alone")
        if has_shuffled(diagnosis):
            axes.plot(noise, wrong.sel(variable=name), color=_WRONG, marker="s", label="shuffled")
        axes.plot(noise, right.sel(variable=name), color=_RIGHT, marker="o", label="the model")
        axes.margins(x=0.04)
        _plain_numbers(axes)
    levels = plural(len(noise), "noise level")
    _head(
        place,
        next(iter(each.values())),
        f"Mean squared denoising error of a target of variance 1, at {levels}",
    )


def _draw_spectra(place: _Place, diagnosis: xr.Dataset, names: list[str]) -> None:
    each = _panels(place, names, "wavelength (km)")
    length = diagnosis["wavelength"].values
    for name, axes in each.items():
        of_name = diagnosis.sel(variable=name)
        styles: tuple[tuple[str, dict[str, Any]], ...] = (
            ("", {"color": _STANDARD, "linewidth": 1.0, "linestyle": "dashed", "label": "state"}),
            ("change_", {"color": _RIGHT, "linewidth": 1.5, "label": "change in the hour"}),
        )
        for kind, style in styles:
            truth = of_name[f"spectrum_{kind}truth"].values
            relative = ratio(of_name[f"spectrum_{kind}members"].values, truth)
            axes.plot(length, np.clip(relative, *_SPECTRUM_LIMITS), **style)
        axes.axhline(1.0, color="#111111", linewidth=0.8)
        axes.set_ylim(*_SPECTRUM_LIMITS)
        # Shorter wavelengths than two grid lengths exist only in the corners of wavenumber space.
        axes.set_xlim(length.max(), 2.0 * float(diagnosis.attrs["grid_spacing_km"]))
        _plain_numbers(axes)
    heading = "Variance of members one hour ahead over the variance of the truth"
    _head(place, next(iter(each.values())), heading)


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
    condition.set_xlabel("fair CRPS at 1 h relative to the right condition")
    condition.set_xlim(left=0.0)
    marks = (
        ("drawn", "s", _WRONG, "full", "drawn"),
        ("drawn_beyond_precision", "s", _WRONG, "none", "beyond precision"),
        ("truth", "+", "#111111", "full", "analyses"),
        ("bounded", "o", _RIGHT, "full", "bounded"),
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
            columnspacing=0.9,
            handletextpad=0.3,
            borderpad=0.0,
        )


FIGURE = ReportFigure(
    title="Diagnosis of a model",
    category="Models",
    caption=(
        "Diagnosis of a trained model on a few pairs of hours that are not scored. They are from "
        "the validation period or, without one, from the end of the training period, which the "
        "model has seen. Denoising error: the error of the clean state that the model estimates "
        "from a noisy one, by noise level, for a target scaled to variance 1. It should lie far "
        "below the dashed line, the smallest error possible from each point alone without a "
        "condition. Where both lines meet, the model removes no noise. Shuffled: the model is "
        "given the state, hour and terrain of another case; if this changes nothing, the model "
        "ignores its condition. Variance: the ratio of members one hour ahead to the truth, for "
        "the state and for its change during the hour, which is what the model adds. It should be "
        "1; members are too smooth below and too noisy above. Persistence is the error of a "
        "forecast of no change. Persistence and change are not shown for diagnosed variables, "
        "because the model is not given their present value. Impossible points are outside the "
        "physical bounds, or have dew points above temperatures. They are counted in members as "
        "drawn, in members as drawn where the excess is beyond the precision of the archive, in "
        "the analyses, and in members after bounds are applied."
    ),
    reads=("diagnosis",),
    settings=(),
    draw=lambda settings, files, output: draw_diagnosis(files.diagnosis, output),
    each="model",
)
