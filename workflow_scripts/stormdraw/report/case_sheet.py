"""The postage-stamp sheet of one case: truth, mean, probability and members, a frame a lead."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, Normalize
from matplotlib.ticker import MaxNLocator

from stormdraw.archive.truth_names import truth_name
from stormdraw.grids import Grid
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.map_outlines import outlines
from stormdraw.report.mapped import (
    cases_to_show,
    chosen_leads,
    mapped_variable,
    threshold_of,
)
from stormdraw.report.mapped_case import Block
from stormdraw.report.stamps import colour_strip, stamp, thinned, thinning
from stormdraw.report.wording import digits, units_text
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import variable

# The outlines' coordinates are whole numbers of this many to the width of the map.
_UNITS_ACROSS = 1000


@dataclass(frozen=True)
class Stamp:
    """One small map: its title, its picture as a data URI, and which it is in words."""

    title: str
    data: str
    alternative: str


@dataclass(frozen=True)
class Frame:
    """One lead: for each system a heading and its stamps; the truth comes first."""

    lead: int
    valid: str
    blocks: list[tuple[str, list[Stamp]]]


@dataclass(frozen=True)
class ColourKey:
    """A bar of colours with the values at its marks, each as (share of the width in %, text)."""

    label: str
    data: str
    marks: list[tuple[float, str]]


@dataclass(frozen=True)
class Sheet:
    """The sheet; `gap` says why there is none. `outline` is an SVG path in a box of `size`."""

    heading: str
    caption: str
    frames: list[Frame]
    keys: list[ColourKey]
    outline: str
    size: tuple[int, int]
    gap: str


def case_sheet(settings: Settings, maps: Mapping[str, Path]) -> Sheet:
    """Draw `mapped_variable` of the case of each of `mapped_systems` that `extract_case` chose."""
    name = mapped_variable(settings)
    cases, gap = cases_to_show(settings, maps)
    if gap:
        return _gap(gap)
    first, leads = cases[0], chosen_leads(settings.leads)
    truths = {lead: thinned(first.truth(lead)) for lead in leads}
    count = settings.report.sheet_members
    blocks = {lead: [_thin(case.block(lead, count)) for case in cases] for lead in leads}
    everything = [
        *truths.values(),
        *(f for b in blocks.values() for x in b for f in x.fields.values()),
    ]
    scale = scale_for(name, np.concatenate([field.ravel() for field in everything]))
    threshold = threshold_of(settings, name)
    frames = [
        Frame(
            lead,
            f"{first.init + hours(lead):%Y-%m-%d %H} UTC",
            [
                ("Truth", [_stamp("truth", truths[lead], scale, name, lead)]),
                *(
                    (
                        f"{block.system}: {block.note}",
                        _stamps(block, scale, name, lead, threshold),
                    )
                    for block in blocks[lead]
                ),
            ],
        )
        for lead in leads
    ]
    outline, size = svg_outline(first.grid)
    return Sheet(
        f"{variable(name).long_name.capitalize()}, {first.init:%Y-%m-%d %H} UTC",
        _caption(settings, name, first.cases, threshold, first.grid),
        frames,
        _keys(name, scale, threshold),
        outline,
        size,
        "",
    )


def _thin(block: Block) -> Block:
    """All frames are held at once, and no more of a field is drawn."""
    share = None if block.share is None else thinned(block.share)
    fields = {title: thinned(field) for title, field in block.fields.items()}
    return replace(block, fields=fields, share=share)


def svg_outline(grid: Grid) -> tuple[str, tuple[int, int]]:
    """Coasts and borders as an SVG path, and the (width, height) of the box that is the map."""
    dy, dx = grid.spacing
    left, top = grid.x[0] - dx / 2, grid.y[-1] + dy / 2
    scale = _UNITS_ACROSS / (dx * len(grid.x))
    height = round(scale * dy * len(grid.y))
    pieces = []
    for line in outlines(grid):
        x = np.rint((line[:, 0] * 1000.0 - left) * scale).astype(int)
        y = np.rint((top - line[:, 1] * 1000.0) * scale).astype(int)
        margin = _UNITS_ACROSS // 20
        near = (x > -margin) & (x < _UNITS_ACROSS + margin) & (y > -margin) & (y < height + margin)
        if not near.any():
            continue
        # Three units are less than a pixel of a stamp.
        moved = np.ones(len(x), bool)
        last = 0
        for index in range(1, len(x)):
            moved[index] = abs(x[index] - x[last]) + abs(y[index] - y[last]) >= 3
            last = index if moved[index] else last
        points = " ".join(f"{a},{b}" for a, b in zip(x[moved], y[moved], strict=True))
        pieces.append(f"M{points}")
    return "".join(pieces), (_UNITS_ACROSS, height)


def _stamps(
    block: Block, scale: Scale, name: str, lead: int, threshold: float | None
) -> list[Stamp]:
    stamps = [
        _stamp(f"{block.system}, {title}", field, scale, name, lead, title)
        for title, field in block.fields.items()
    ]
    if block.share is not None:
        title = f"share ≥ {threshold:g} {units_text(name)}"
        what = f"{block.system}, {title}"
        stamps.insert(1, _stamp(what, block.share, _PROBABILITY, name, lead, title))
    return stamps


def _stamp(
    what: str, field: np.ndarray, scale: Scale, name: str, lead: int, title: str = ""
) -> Stamp:
    finite = field[np.isfinite(field)]
    most = f", highest value {digits(float(finite.max()))}" if finite.size else ", no value"
    return Stamp(title or what, stamp(field, scale), f"Map of {name} at {lead} h: {what}{most}")


_PROBABILITY = Scale(
    colormaps["BuPu"].with_extremes(under="#f6f7f9", bad="#c8ccd4"),
    Normalize(1.0, 100.0),
    "min",
)


def _keys(name: str, scale: Scale, threshold: float | None) -> list[ColourKey]:
    keys = [_key(f"{variable(name).long_name} ({units_text(name)})", scale)]
    if threshold is not None:
        label = f"share of members with at least {threshold:g} {units_text(name)} (%)"
        keys.append(_key(label, _PROBABILITY))
    return keys


def _key(label: str, scale: Scale) -> ColourKey:
    if isinstance(scale.norm, BoundaryNorm):
        marks = [float(level) for level in scale.norm.boundaries]
    else:
        marks = _round_marks(float(scale.norm.vmin or 0.0), float(scale.norm.vmax or 1.0))
    low, high = marks[0], marks[-1]
    some = marks[:: -(-len(marks) // 8)]
    return ColourKey(
        label,
        # Just inside, or the last colour would be that of "beyond".
        colour_strip(scale, low, high - 1e-6 * (high - low)),
        [(100.0 * (value - low) / (high - low), f"{value:.3g}") for value in some],
    )


def _round_marks(low: float, high: float) -> list[float]:
    """Both ends, and the round numbers between them that are not too near to these."""
    near = 0.08 * (high - low)
    round_ones = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [low, *(float(one) for one in round_ones if low + near < one < high - near), high]


def _caption(settings: Settings, name: str, cases: int, threshold: float | None, grid: Grid) -> str:
    several = name == "REFC" and cases > 1
    chosen = f"the one of {cases} cases with most storms" if several else "one case"
    share = "The share of members that reach the threshold is the forecast probability of it. "
    if threshold is None:
        share = ""
    step = thinning(len(grid.x))
    thinned = f" Every {step}th point is drawn." if step > 1 else ""
    return (
        f"{chosen.capitalize()}, truth: {truth_name(settings, name)}. Each member should look "
        "like weather, as sharp as the truth; where members agree the forecast is sure. "
        f"{share}The mean is smoother than any member. Members are the first in the file, not "
        "chosen. Lines are coasts, lakes and borders of countries and states; each pixel is a grid "
        f"point.{thinned}"
    )


def _gap(reason: str) -> Sheet:
    return Sheet("", "", [], [], "", (1, 1), reason)
