"""The sampling of one member, from noise to sample."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from stormdraw.report.diagnoses import names_of, read_diagnosis
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.field_map import frame
from stormdraw.report.figure import ReportFigure
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import digits, plural, units_text

TITLE = "From noise to sample: {model}"

# How many variables are shown, and how many noisy states beside the sample and the truth.
_VARIABLES = 2
_RUNGS = 5
# The scale of a target of variance 1. It has few colours, because noise in many colours does not
# compress.
_NOISY = Scale(colormaps["PuOr"].resampled(11), Normalize(-3.0, 3.0), "both")

# At more noise than this nothing of the state is visible.
_PURE_NOISE = 100.0
# Inches to the left and right of the maps, above them, and between rows.
_LEFT, _RIGHT, _TOP, _GAP = 0.42, 0.5, 0.25, 0.1


@dataclass(frozen=True)
class _Row:
    """Fields (y, x) from noise to sample, followed by the truth, on one scale."""

    label: str
    fields: list[np.ndarray]
    scale: Scale


def draw_sampling_path(path: str | Path, output: str | Path) -> None:
    """Draw two variables of one member: noisy states, and the model's estimate from each."""
    diagnosis = read_diagnosis(path)
    title = TITLE.format(model=diagnosis.attrs["model"])
    if "path_noisy" not in diagnosis:
        reason = diagnosis.attrs.get("gap", "This model forecasts in one step, without sampling.")
        write_gap(output, title, reason)
        return
    shown = _shown_rungs(diagnosis.sizes["rung"])
    names = names_of(diagnosis)[:_VARIABLES]
    rows = [row for name in names for row in _rows(diagnosis, name, shown)]
    ratio = diagnosis["path_noise_over_signal"].values[shown]
    headings = [*map(_heading, ratio), "truth"]
    y, x = diagnosis.sizes["y"], diagnosis.sizes["x"]
    tall = (WIDTH - _LEFT - _RIGHT) / len(headings) * y / x
    height = _TOP + len(rows) * (tall + _GAP)
    with drawn(output, (WIDTH, height), title, layout=None) as figure:
        for place, row in enumerate(rows):
            top = 1.0 - (_TOP + place * (tall + _GAP)) / height
            _draw_row(figure, row, (top - tall / height, top), headings if place == 0 else [])
        describe(
            figure,
            f"Sampling of one member by {diagnosis.attrs['model']}, from noise to sample in "
            f"{plural(diagnosis.sizes['rung'] - 1, 'step')}, and the truth: noisy states and the "
            f"model's estimates from them, for {', '.join(names)}.",
        )


def _shown_rungs(count: int) -> list[int]:
    """Indices of a few evenly spaced noisy states, and of the sample, which is the last."""
    noisy = min(_RUNGS, count - 1)
    return [round(place * (count - 2) / max(noisy - 1, 1)) for place in range(noisy)] + [count - 1]


def _rows(diagnosis: xr.Dataset, name: str, shown: list[int]) -> list[_Row]:
    of_name = diagnosis.sel(variable=name)
    noisy = [*of_name["path_noisy"].values[shown], of_name["path_target"].values]
    truth = of_name["path_truth"].values
    return [
        _Row(f"{name}\nnoisy (std)", noisy, _NOISY),
        _Row(
            f"{name}\nestimate ({units_text(name)})",
            [*of_name["path_estimate"].values[shown], truth],
            scale_for(name, truth),
        ),
    ]


def _heading(ratio: float) -> str:
    if ratio == 0.0:
        return "sample"
    return "noise" if ratio > _PURE_NOISE else rf"$\sigma / \alpha$ = {digits(ratio)}"


def _draw_row(figure: Figure, row: _Row, span: tuple[float, float], headings: list[str]) -> None:
    """Draw a row of maps between the fractions `span` of the figure's height, with a colour bar."""
    bottom, top = span
    edges = {"left": _LEFT / WIDTH, "right": 1.0 - _RIGHT / WIDTH}
    grid = GridSpec(1, len(row.fields), figure, bottom=bottom, top=top, wspace=0.05, **edges)
    for place, field in enumerate(row.fields):
        axes = figure.add_subplot(grid[0, place])
        image = axes.imshow(
            field,
            origin="lower",
            cmap=row.scale.colours,
            norm=row.scale.norm,
            interpolation="nearest",
            aspect="auto",
        )
        frame(axes)
        axes.set_xticks([])
        axes.set_yticks([])
        if headings:
            axes.set_title(headings[place], loc="center", weight="normal")
        if place == 0:
            axes.set_ylabel(row.label)
    beside = figure.add_axes((edges["right"] + 0.007, bottom, 0.011, top - bottom))
    figure.colorbar(image, cax=beside, extend=row.scale.extend)


FIGURE = ReportFigure(
    title="From noise to sample",
    category="Models",
    caption=(
        "The sampling of one member by a diffusion model, from noise (left) to the sample, with "
        "the truth at the right. The upper row of a variable is the noisy state in standard "
        "deviations of the model's target. The lower row is the model's estimate of the state one "
        "hour ahead. From pure noise it can only estimate the mean of all possible states. As the "
        "noise decreases, detail appears, large scales first. The sample will differ from the "
        "truth but should look equally realistic."
    ),
    reads=("diagnosis",),
    settings=(),
    draw=lambda settings, files, output: draw_sampling_path(files.diagnosis, output),
    each="model",
)
