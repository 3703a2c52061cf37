"""Maps of some members and the ensemble mean beside the truth, at one case and lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage

from stormdraw.archive.wanted import TRUTH_NAMES, truth_variables
from stormdraw.fields.states import absent_times, read_states
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.graticule import MapGrid, draw_graticule, draw_scale_bar
from stormdraw.report.mapped import mapped_systems, mapped_variable
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import units_text
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import variable

TITLE = "Members beside the truth"

# dBZ; what operational centres verify storms at.
_STORM = 30.0

# Panels narrower than this many inches show nothing; a block of panels higher than that does not
# fit on a screen.
_NARROWEST = 1.35
_HIGHEST_BLOCK = 5.6


@dataclass(frozen=True)
class Block:
    """One system's part of the figure: its fields (y, x) under their titles, or why it has none."""

    system: str
    fields: dict[str, np.ndarray]
    note: str


def draw_member_maps(
    settings: Settings,
    ensemble_paths: Mapping[str, Sequence[str | Path]],
    truth_paths: Sequence[str | Path],
    output: str | Path,
) -> None:
    """Draw truth, mean and the first members of `mapped_systems` at the longest lead of one case.

    `ensemble_paths` gives each system's files, one a case; `truth_paths` are the day files of the
    analysis. The case is the one whose truth has most storms (reflectivity of 30 dBZ or more) at
    that lead; the first case if there is no reflectivity.
    Raises StormdrawError if the truth of a case is in none of the files.
    """
    name = mapped_variable(settings)
    lead = max(settings.leads)
    shown = [system for system in mapped_systems(settings) if ensemble_paths.get(system)]
    if not shown:
        write_gap(output, TITLE, "No system has an ensemble to show.")
        return
    files = {system: _by_init(ensemble_paths[system]) for system in shown}
    absent = absent_times(truth_paths)
    inits = [
        init
        for init in sorted(set.intersection(*(set(by_init) for by_init in files.values())))
        if not {init, init + hours(lead)} & absent
    ]
    if not inits:
        write_gap(output, TITLE, "The systems have no case in common.")
        return
    init = choose_case(inits, lead, name, truth_paths)
    _, (truth,) = next(read_states(truth_paths, [name], [init + hours(lead)]))
    grid = read_grid(files[shown[0]][init])
    blocks = [
        read_block(files[system][init], system, name, lead, settings.report.map_members)
        for system in shown
    ]
    analysis = TRUTH_NAMES[settings.archive.truth]
    if settings.archive.source == "simulated":
        analysis = "simulated analysis"
    elif settings.archive.truth == "hrrr" and settings.archive.analysis_lead:
        analysis = "HRRR 1 h forecast as analysis"
    elif name not in truth_variables(settings):
        analysis = TRUTH_NAMES["hrrr"]
    chosen = " · the case with most storms" if name == "REFC" and len(inits) > 1 else ""
    heading = (
        f"{variable(name).long_name.capitalize()} ({units_text(name)}) · {init:%Y-%m-%d %H} UTC "
        f"+ {lead} h · truth: {analysis}{chosen}"
    )
    _draw(output, heading, grid, truth, blocks, name)


def choose_case(
    inits: Sequence[datetime], lead: int, name: str, truth_paths: Sequence[str | Path]
) -> datetime:
    """The case whose truth has the largest area of storms at `lead`, or else the first.

    Raises StormdrawError if the truth of a case is in none of the files.
    """
    if name != "REFC":
        return inits[0]
    valid = [init + hours(lead) for init in inits]
    areas = [
        int(np.count_nonzero(state >= _STORM))
        for _, state in read_states(truth_paths, [name], valid)
    ]
    return inits[int(np.argmax(areas))]


def read_grid(path: str | Path) -> MapGrid:
    """Where an ensemble lies on the map."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        return MapGrid(
            x=dataset["x"].values / 1000.0,
            y=dataset["y"].values / 1000.0,
            latitude=dataset["latitude"].values,
            longitude=dataset["longitude"].values,
        )


def read_block(path: str | Path, system: str, name: str, lead: int, count: int) -> Block:
    """Mean and the first `count` members that are there, of one variable at one lead."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        if f"{name}_mean" in dataset:
            mean = dataset[f"{name}_mean"].sel(lead=lead).values
            return Block(system, {"mean": mean}, "known by its mean and spread only")
        if name not in dataset:
            return Block(system, {}, f"{system} has no {name}")
        members = dataset[name].sel(lead=lead)
        present = [
            index
            for index in range(members.sizes["member"])
            if bool(np.isfinite(members.isel(member=index).values).any())
        ]
        if not present:
            return Block(system, {}, f"{system} has no member of {name} at {lead} h")
        fields: dict[str, np.ndarray] = {}
        if len(present) > 1:
            total = np.zeros(members.shape[1:])
            for index in present:
                total += members.isel(member=index).values
            fields[f"mean of {len(present)}"] = total / len(present)
        for index in present[:count]:
            label = str(members["member"].values[index])
            title = f"member {label}" if label.isdecimal() else label
            fields[title] = members.isel(member=index).values
        note = "one member" if len(present) == 1 else f"{len(present)} members"
        return Block(system, fields, note)


def _by_init(paths: Sequence[str | Path]) -> dict[datetime, Path]:
    by_init = {}
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            by_init[dataset["init"].values.astype("datetime64[s]").item()] = Path(path)
    return by_init


def columns_for(count: int, aspect: float) -> int:
    """In how many columns `count` maps of height/width `aspect` go.

    Of the layouts with readable panels, one with the fewest empty places, and of these the one with
    the largest panels.
    """
    most = max(1, min(count, int(WIDTH / _NARROWEST)))
    layouts = range(min(3, most), most + 1)
    low = [
        columns
        for columns in layouts
        if -(-count // columns) * aspect * WIDTH / columns <= _HIGHEST_BLOCK
    ]
    return min(low or [most], key=lambda columns: (-count % columns, columns))


def _draw(
    output: str | Path,
    heading: str,
    grid: MapGrid,
    truth: np.ndarray,
    blocks: Sequence[Block],
    name: str,
) -> None:
    columns = columns_for(max(len(block.fields) for block in blocks) + 1, grid.aspect)
    rows = [-(-(len(block.fields) + 1) // columns) for block in blocks]
    panel = (WIDTH - 0.5) / columns
    # A title and labels over and under the panels of each row, a heading over each block.
    heights = [count * (panel * grid.aspect + 0.36) + 0.3 for count in rows]
    everything = [truth, *(field for block in blocks for field in block.fields.values())]
    scale = scale_for(name, np.concatenate([field.ravel() for field in everything]))
    with drawn(output, (WIDTH, sum(heights) + 0.95), TITLE) as figure:
        *parts, foot = figure.subfigures(
            len(blocks) + 1, 1, height_ratios=[*heights, 0.62], squeeze=False
        )[:, 0]
        for part, block, count in zip(parts, blocks, rows, strict=True):
            image = _draw_block(part, block, (count, columns), grid, truth, scale)
        _draw_colour_bar(foot, image, scale, name)
        figure.suptitle(heading, x=0.01, ha="left")
        describe(
            figure,
            f"Maps of {heading}: the truth beside "
            + "; ".join(
                f"{block.system} ({', '.join(block.fields) or block.note})" for block in blocks
            )
            + ".",
        )


def _draw_block(
    part: SubFigure,
    block: Block,
    shape: tuple[int, int],
    grid: MapGrid,
    truth: np.ndarray,
    scale: Scale,
) -> AxesImage:
    """Draw the truth and the block's fields; return the last image, for its colours."""
    part.suptitle(f"{block.system}: {block.note}", x=0.01, ha="left", fontweight="bold")
    flat = list(part.subplots(*shape, squeeze=False).flat)
    fields = {"truth": truth, **block.fields}
    for index, (axes, (title, field)) in enumerate(zip(flat, fields.items(), strict=False)):
        image = _draw_map(axes, field, grid, scale)
        axes.set_title(title, fontsize=7.5, weight="bold" if title == "truth" else "normal")
        last_row = index + shape[1] >= len(fields)
        draw_graticule(axes, grid, left=index % shape[1] == 0, bottom=last_row)
    draw_scale_bar(flat[0], grid)
    for empty in flat[len(fields) :]:
        empty.set_axis_off()
    return image


def _draw_map(axes: Axes, field: np.ndarray, grid: MapGrid, scale: Scale) -> AxesImage:
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
    return axes.imshow(
        np.ma.masked_invalid(field),
        origin="lower",
        extent=grid.extent,
        cmap=scale.colours,
        norm=scale.norm,
        interpolation="nearest",
    )


def _draw_colour_bar(foot: SubFigure, image: AxesImage, scale: Scale, name: str) -> None:
    ticks = scale.norm.boundaries if isinstance(scale.norm, BoundaryNorm) else None
    bar = foot.colorbar(
        image, cax=foot.subplots(), orientation="horizontal", extend=scale.extend, ticks=ticks
    )
    bar.set_label(f"{variable(name).long_name} ({units_text(name)})")
    bar.outline.set_linewidth(0.5)
