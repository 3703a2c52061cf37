"""The postage stamps of one case: truth, mean, probability and members, one frame per lead."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
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
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import variable

# The outlines have integer coordinates; the map is this many units wide.
_UNITS_ACROSS = 1000
# Deviations up to this many units are less than a pixel of a stamp.
_TOLERANCE = 1.5


@dataclass(frozen=True)
class Stamp:
    """One small map: its title, its picture as a data URI and its alternative text."""

    title: str
    data: str
    alternative: str


@dataclass(frozen=True)
class Frame:
    """One lead: (heading, stamps) of the truth, then of each system."""

    lead: int
    valid: str
    blocks: list[tuple[str, list[Stamp]]]


@dataclass(frozen=True)
class ColourKey:
    """A colour bar. `marks` are (position as a percentage of the width, value as text)."""

    label: str
    data: str
    marks: list[tuple[float, str]]


@dataclass(frozen=True)
class Sheet:
    """The sheet, or in `gap` why there is none. `outline` is an SVG path in a box of `size`."""

    heading: str
    caption: str
    frames: list[Frame]
    keys: list[ColourKey]
    outline: str
    size: tuple[int, int]
    gap: str


def case_sheet(settings: Settings, maps: Mapping[str, Path]) -> Sheet:
    """Draw `mapped_variable` in the case that `extract_case` chose, for all `mapped_systems`."""
    name = mapped_variable(settings)
    cases, gap = cases_to_show(settings, maps)
    if gap:
        return _gap(gap)
    first, leads = cases[0], chosen_leads(settings.leads)
    truths = {lead: thinned(first.truth(lead)) for lead in leads}
    count = settings.report.sheet_members
    blocks = {lead: [_thin(case.block(lead, count)) for case in cases] for lead in leads}
    fields = [field for own in blocks.values() for block in own for field in block.fields.values()]
    fields += truths.values()
    scale = scale_for(name, np.concatenate([field.ravel() for field in fields]))
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
    """Keep only the points that are drawn, because all frames are in memory at once."""
    share = None if block.share is None else thinned(block.share)
    fields = {title: thinned(field) for title, field in block.fields.items()}
    return replace(block, fields=fields, share=share)


def svg_outline(grid: Grid) -> tuple[str, tuple[int, int]]:
    """Coastlines and borders as an SVG path, and the (width, height) of the map's box."""
    (dy, dx), (across, up) = grid.spacing, grid.kilometres_a_unit
    # In km, as the lines are.
    left, top = (grid.x[0] - dx / 2) * across, (grid.y[-1] + dy / 2) * up
    scale = _UNITS_ACROSS / (dx * across * len(grid.x))
    height = round(scale * dy * up * len(grid.y))
    margin = _UNITS_ACROSS // 20
    box = (-margin, -margin, _UNITS_ACROSS + margin, height + margin)
    pieces = []
    for line in outlines(grid):
        points = (line * (1.0, -1.0) - (left, -top)) * scale
        near = shapely.clip_by_rect(shapely.LineString(points), *box)
        for part in shapely.get_parts(near.simplify(_TOLERANCE)):
            pieces.append("M" + " ".join(f"{x:.0f},{y:.0f}" for x, y in part.coords))
    return "".join(pieces), (_UNITS_ACROSS, height)


def _stamps(
    block: Block, scale: Scale, name: str, lead: int, threshold: Threshold | None
) -> list[Stamp]:
    stamps = [
        _stamp(f"{block.system}, {title}", field, scale, name, lead, title)
        for title, field in block.fields.items()
    ]
    if block.share is not None and threshold is not None:
        title = f"share {threshold.symbols(units_text(name))}"
        what = f"{block.system}, {title}"
        stamps.insert(1, _stamp(what, block.share, _PROBABILITY, name, lead, title))
    return stamps


def _stamp(
    what: str, field: np.ndarray, scale: Scale, name: str, lead: int, title: str = ""
) -> Stamp:
    finite = field[np.isfinite(field)]
    maximum = f"maximum {digits(float(finite.max()))}" if finite.size else "no value"
    alternative = f"Map of {name} at {lead} h: {what}, {maximum}"
    return Stamp(title or what, stamp(field, scale), alternative)


_PROBABILITY = Scale(
    colormaps["BuPu"].with_extremes(under="#f6f7f9", bad="#c8ccd4"),
    Normalize(1.0, 100.0),
    "min",
)


def _keys(name: str, scale: Scale, threshold: Threshold | None) -> list[ColourKey]:
    keys = [_key(f"{variable(name).long_name} ({units_text(name)})", scale)]
    if threshold is not None:
        label = f"share of members with {threshold.words(units_text(name))} (%)"
        keys.append(_key(label, _PROBABILITY))
    return keys


def _key(label: str, scale: Scale) -> ColourKey:
    if isinstance(scale.norm, BoundaryNorm):
        marks = [float(level) for level in scale.norm.boundaries]
    else:
        marks = _round_marks(float(scale.norm.vmin or 0.0), float(scale.norm.vmax or 1.0))
    low, high = marks[0], marks[-1]
    at_most_eight = marks[:: -(-len(marks) // 8)]
    return ColourKey(
        label,
        # At the upper end itself the colour is that of values beyond the scale.
        colour_strip(scale, low, high - 1e-6 * (high - low)),
        [(100.0 * (value - low) / (high - low), f"{value:.3g}") for value in at_most_eight],
    )


def _round_marks(low: float, high: float) -> list[float]:
    """Both ends, and the round numbers in between that are not too close to them."""
    gap = 0.08 * (high - low)
    ticks = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [low, *(float(tick) for tick in ticks if low + gap < tick < high - gap), high]


def _caption(
    settings: Settings, name: str, cases: int, threshold: Threshold | None, grid: Grid
) -> str:
    by_storms = name == "REFC" and cases > 1
    case = f"The one of {cases} cases with the most storms" if by_storms else "One case"
    share = ""
    if threshold is not None:
        event = threshold.words(units_text(name))
        share = f"The share of members with {event} is the forecast probability of that. "
    step = thinning(len(grid.x))
    drawn = f" Every {step}th point is drawn." if step > 1 else ""
    return (
        f"{case}; the truth is {truth_name(settings, name)}. Each member should look like real "
        "weather, as sharp as the truth. Where the members agree, the forecast is confident. "
        f"{share}The mean is smoother than any member. Members are the first ones in the file, not "
        "a selection. Lines are coasts, lakes and borders of countries and states. Each pixel is a "
        f"grid point.{drawn}"
    )


def _gap(reason: str) -> Sheet:
    return Sheet("", "", [], [], "", (1, 1), reason)
