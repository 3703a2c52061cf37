"""The postage-stamp sheet of one case: truth, mean, probability and members, a frame a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, Normalize
from matplotlib.ticker import MaxNLocator

from stormdraw.archive.truth_names import truth_name
from stormdraw.fields.states import read_states
from stormdraw.grids import Grid
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.map_outlines import outlines
from stormdraw.report.mapped import (
    Block,
    choose_case,
    common_cases,
    files_by_init,
    mapped_systems,
    mapped_variable,
    read_block,
)
from stormdraw.report.stamps import colour_strip, stamp, thinned, thinning
from stormdraw.report.wording import digits, units_text
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import variable

# Leads beyond this many are thinned out, the last always shown: the page has to be sent by mail.
_MOST_FRAMES = 8
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


def case_sheet(
    settings: Settings,
    ensemble_paths: Mapping[str, Sequence[str | Path]],
    truth_paths: Sequence[str | Path],
) -> Sheet:
    """Draw the case with most storms (else the first) of `mapped_systems`, of `mapped_variable`.

    Raises StormdrawError if the truth of a case is in none of the files.
    """
    name = mapped_variable(settings)
    shown = [system for system in mapped_systems(settings) if ensemble_paths.get(system)]
    if not shown or not truth_paths:
        return _gap("No ensemble or no truth was given to this page.")
    files = {system: files_by_init(ensemble_paths[system]) for system in shown}
    leads = chosen_leads(settings.leads)
    inits = common_cases(files, truth_paths, leads)
    if not inits:
        return _gap(f"{' and '.join(shown)} have no case in common.")
    init = choose_case(inits, max(settings.leads), name, truth_paths)
    truths = {
        lead: thinned(state[0])
        for lead, (_, state) in zip(
            leads,
            read_states(truth_paths, [name], [init + hours(lead) for lead in leads]),
            strict=True,
        )
    }
    count = settings.report.sheet_members
    blocks = {
        lead: [
            _thin(read_block(files[system][init], system, name, lead, count)) for system in shown
        ]
        for lead in leads
    }
    everything = [
        *truths.values(),
        *(f for b in blocks.values() for x in b for f in x.fields.values()),
    ]
    scale = scale_for(name, np.concatenate([field.ravel() for field in everything]))
    threshold = _threshold(settings, name)
    frames = [
        Frame(
            lead,
            f"{init + hours(lead):%Y-%m-%d %H} UTC",
            [
                ("Truth", [_stamp("truth", truths[lead], scale, name, lead)]),
                *(
                    (
                        f"{block.system}: {block.note}",
                        _stamps(block, files[block.system][init], scale, name, lead, threshold),
                    )
                    for block in blocks[lead]
                ),
            ],
        )
        for lead in leads
    ]
    with xr.open_dataset(files[shown[0]][init], engine="netcdf4", decode_timedelta=False) as first:
        grid = Grid.of(first)
    outline, size = svg_outline(grid)
    return Sheet(
        f"{variable(name).long_name.capitalize()}, {init:%Y-%m-%d %H} UTC",
        _caption(settings, name, len(inits), threshold, grid),
        frames,
        _keys(name, scale, threshold),
        outline,
        size,
        "",
    )


def _thin(block: Block) -> Block:
    """All frames are held at once, and no more of a field is drawn."""
    return replace(block, fields={title: thinned(field) for title, field in block.fields.items()})


def chosen_leads(leads: Sequence[int]) -> list[int]:
    """The leads that become frames: all, or some at even distance with the first and the last."""
    if len(leads) <= _MOST_FRAMES:
        return list(leads)
    places = np.linspace(0, len(leads) - 1, _MOST_FRAMES).round().astype(int)
    return [leads[place] for place in places]


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


def _threshold(settings: Settings, name: str) -> float | None:
    """What the probability is of: the middle one of the variable's thresholds."""
    thresholds = settings.scores.thresholds.get(name, [])
    return thresholds[len(thresholds) // 2] if thresholds else None


def _stamps(
    block: Block, path: Path, scale: Scale, name: str, lead: int, threshold: float | None
) -> list[Stamp]:
    stamps = [
        _stamp(f"{block.system}, {title}", field, scale, name, lead, title)
        for title, field in block.fields.items()
    ]
    if threshold is not None and len(block.fields) > 1:
        share = read_share(path, name, lead, threshold)
        title = f"share ≥ {threshold:g} {units_text(name)}"
        stamps.insert(1, _stamp(f"{block.system}, {title}", share, _PROBABILITY, name, lead, title))
    return stamps


def read_share(path: str | Path, name: str, lead: int, threshold: float) -> np.ndarray:
    """The share of members that reach a threshold in per cent, (y, x), of an ensemble file."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        members = dataset[name].sel(lead=lead)
        reached = np.zeros(members.shape[1:])
        present = np.zeros(members.shape[1:])
        for index in range(members.sizes["member"]):
            member = members.isel(member=index).values
            reached += member >= threshold
            present += np.isfinite(member)
    with np.errstate(invalid="ignore"):
        return 100.0 * np.where(present > 0, reached / present, np.nan)


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
