"""Maps of the ensemble mean and a few members beside the truth, for one case and lead."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage

from stormdraw.archive.truth_names import truth_name
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.field_map import draw_field
from stormdraw.report.figure import ReportFigure
from stormdraw.report.graticule import MapGrid, draw_graticule, draw_scale_bar, map_grid
from stormdraw.report.mapped import cases_to_show, mapped_variable
from stormdraw.report.mapped_case import Block
from stormdraw.report.style import WIDTH, describe, drawn, write_gap
from stormdraw.report.wording import units_text
from stormdraw.settings import Settings
from stormdraw.variables import variable

TITLE = "Members beside the truth"

# Inches: narrower panels show too little, and a higher block of panels does not fit on a screen.
_NARROWEST = 1.35
_HIGHEST_BLOCK = 5.6


def draw_member_maps(settings: Settings, maps: Mapping[str, Path], output: str | Path) -> None:
    """Draw truth, mean and the first members of `mapped_systems` at the longest lead of one case.

    `maps` is by system: the files that `extract_case` wrote.
    """
    name = mapped_variable(settings)
    lead = max(settings.leads)
    cases, gap = cases_to_show(settings, maps)
    if gap:
        write_gap(output, TITLE, gap)
        return
    first = cases[0]
    blocks = [case.block(lead, settings.report.map_members) for case in cases]
    chosen = " · the case with the most storms" if name == "REFC" and first.cases > 1 else ""
    heading = (
        f"{variable(name).long_name.capitalize()} ({units_text(name)}) · "
        f"{first.init:%Y-%m-%d %H} UTC + {lead} h · truth: {truth_name(settings, name)}{chosen}"
    )
    _draw(output, heading, map_grid(first.grid), first.truth(lead), blocks, name)


def columns_for(count: int, aspect: float) -> int:
    """The number of columns for `count` maps of height/width `aspect`.

    Among layouts with readable panels it is one with the fewest empty places, and among those the
    one with the largest panels.
    """
    most = max(1, min(count, int(WIDTH / _NARROWEST)))
    layouts = range(min(3, most), most + 1)
    fitting = [
        columns
        for columns in layouts
        if -(-count // columns) * aspect * WIDTH / columns <= _HIGHEST_BLOCK
    ]
    return min(fitting or [most], key=lambda columns: (-count % columns, columns))


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
    # Each row has titles above and labels below its panels; each block has a heading.
    heights = [count * (panel * grid.aspect + 0.36) + 0.3 for count in rows]
    fields = [truth, *(field for block in blocks for field in block.fields.values())]
    scale = scale_for(name, np.concatenate([field.ravel() for field in fields]))
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
    """Draw the truth and the block's fields; return the last image for the colour bar."""
    part.suptitle(f"{block.system}: {block.note}", x=0.01, ha="left", fontweight="bold")
    flat = list(part.subplots(*shape, squeeze=False).flat)
    fields = {"truth": truth, **block.fields}
    for index, (axes, (title, field)) in enumerate(zip(flat, fields.items(), strict=False)):
        image = draw_field(axes, field, grid, scale)
        axes.set_title(title, fontsize=7.5, weight="bold" if title == "truth" else "normal")
        last_row = index + shape[1] >= len(fields)
        draw_graticule(axes, grid, left=index % shape[1] == 0, bottom=last_row)
    draw_scale_bar(flat[0], grid)
    for empty in flat[len(fields) :]:
        empty.set_axis_off()
    return image


def _draw_colour_bar(foot: SubFigure, image: AxesImage, scale: Scale, name: str) -> None:
    ticks = scale.norm.boundaries if isinstance(scale.norm, BoundaryNorm) else None
    bar = foot.colorbar(
        image, cax=foot.subplots(), orientation="horizontal", extend=scale.extend, ticks=ticks
    )
    bar.set_label(f"{variable(name).long_name} ({units_text(name)})")
    bar.outline.set_linewidth(0.5)


FIGURE = ReportFigure(
    title="Members beside the truth",
    category="Members",
    caption=(
        "The truth, and the mean and first members of each system shown, at the longest lead of "
        "one case. Each member should look like real weather: as sharp as the truth, with storms "
        "of the same size and strength, in different places where the forecast is uncertain. The "
        "mean is smoother than any member; that of reflectivity is a mean of dBZ in which no echo "
        "counts as the smallest value. Members are the first ones in the file, not a selection. "
        "With reflectivity the case is the one with the most storms in the truth, otherwise the "
        "first. Lines are coasts and borders of countries and states; thin lines are parallels and "
        "meridians."
    ),
    reads=("maps",),
    settings=(
        "variables",
        "leads",
        "archive.source",
        "archive.truth",
        "archive.analysis_lead",
        "ensembles.systems",
        "scores.reference",
        "report.map_members",
    ),
    draw=lambda settings, files, output: draw_member_maps(settings, files.maps, output),
)
