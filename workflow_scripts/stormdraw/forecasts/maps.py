"""Maps of a forecast: products of a variable, and the members' storms laid over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from stormdraw.fields.netcdf import leads_of
from stormdraw.grids import Grid
from stormdraw.report.field_colours import Scale, scale_for
from stormdraw.report.field_map import draw_field, frame
from stormdraw.report.graticule import MapGrid, draw_graticule, draw_scale_bar, map_grid
from stormdraw.report.mapped import chosen_leads
from stormdraw.report.products.neighbourhood_probability import NeighbourhoodProbability
from stormdraw.report.products.probability import Probability
from stormdraw.report.style import WIDTH, describe, drawn
from stormdraw.report.wording import units_text
from stormdraw.scores.ensemble import initial_time, open_ensemble, read_forecast
from stormdraw.scores.threshold import Limit, Threshold
from stormdraw.times import hours
from stormdraw.variables import variable

_PERCENT = Scale(colormaps["BuPu"], Normalize(0.0, 100.0), "neither")
# Inches: a panel is no wider, nor the first column's labels and the colour bar.
_WIDEST, _BESIDE = 2.1, 1.3
# Matplotlib's cycle of twenty colours, again and again.
_MEMBERS = colormaps["tab20"]


@dataclass(frozen=True)
class Row:
    """A row of maps: the product's name in the file, its title, and the scale if it is known."""

    product: str
    title: str
    scale: Scale | None = None


def rows_of(name: str, threshold: Threshold | None) -> list[Row]:
    """The rows of a variable; `threshold` is that of the probabilities."""
    row = variable(name)
    centre = Row(f"{name}_mean", "mean")
    if row.decibel:
        centre = Row(f"{name}_pmm", "probability-matched mean")
    rows = [
        centre,
        Row(f"{name}_p10", "10th percentile"),
        Row(f"{name}_p90", "90th percentile"),
        Row(f"{name}_spread", "spread"),
    ]
    if threshold is not None:
        reached = threshold.symbols(row.units)
        (here,), (near,) = (
            kind.of(name, 1, [threshold]) for kind in (Probability, NeighbourhoodProbability)
        )
        rows.append(Row(here.in_netcdf, f"members {reached} (%)", _PERCENT))
        rows.append(Row(near.in_netcdf, f"{reached} nearby (%)", _PERCENT))
    return rows


def draw_products(
    products: Path, name: str, threshold: Threshold | None, leads: Sequence[int], output: Path
) -> None:
    """Draw the products of a variable, a row each and a column for each of `leads`."""
    with xr.open_dataset(products, engine="netcdf4", decode_timedelta=False) as dataset:
        grid, init = map_grid(Grid.of(dataset)), initial_time(dataset)
        rows = [row for row in rows_of(name, threshold) if row.product in dataset]
        fields = {
            row.product: [dataset[row.product].sel(lead=lead).values for lead in leads]
            for row in rows
        }
    values = [
        fields[row.product] for row in rows if row.scale is None and "spread" not in row.product
    ]
    shared = scale_for(name, np.array(values))
    title = f"{variable(name).long_name.capitalize()} ({units_text(name)})"
    panel = _panel(len(leads))
    size = (len(leads) * panel + _BESIDE, len(rows) * (panel * grid.aspect + 0.08) + 0.7)
    with drawn(output, size, title) as figure:
        axes = figure.subplots(len(rows), len(leads), squeeze=False)
        for index, (own, row) in enumerate(zip(axes, rows, strict=True)):
            scale = row.scale or shared
            if row.product.endswith("_spread"):
                scale = _spread_scale(np.array(fields[row.product]))
            last = index == len(rows) - 1
            _draw_row(figure, own, row.title, fields[row.product], scale, grid, last)
        _head(axes[0], init, leads)
        draw_scale_bar(axes[0][0], grid)
        figure.suptitle(title, x=0.01, ha="left")
        shown = ", ".join(row.title for row in rows)
        describe(figure, f"Maps of {title} at {_in_words(leads)}: {shown}.")


def draw_hours(
    products: Path, name: str, threshold: Threshold | None, outputs: Mapping[int, Path]
) -> None:
    """Draw the centre of a variable and, near each point, the probability of `threshold`.

    `outputs` has the file of each lead; all have the same colours, so that they can be stepped
    through.
    """
    with xr.open_dataset(products, engine="netcdf4", decode_timedelta=False) as dataset:
        grid, init = map_grid(Grid.of(dataset)), initial_time(dataset)
        centre, *_, last = rows_of(name, threshold)
        rows = [centre] if threshold is None else [centre, last]
        shared = scale_for(name, dataset[centre.product].sel(lead=[*outputs]).values)
        title = f"{variable(name).long_name.capitalize()} ({units_text(name)})"
        width = WIDTH / 2
        size = (len(rows) * width, (width - _BESIDE) * grid.aspect + 0.7)
        for lead, output in outputs.items():
            with drawn(output, size, title) as figure:
                axes = figure.subplots(1, len(rows), squeeze=False)[0]
                for own, row in zip(axes, rows, strict=True):
                    field = dataset[row.product].sel(lead=lead).values
                    _draw_row(figure, [own], row.title, [field], row.scale or shared, grid, True)
                    _head([own], init, [lead])
                figure.suptitle(title, x=0.01, ha="left")
                shown = ", ".join(row.title for row in rows)
                describe(figure, f"{title} at {lead} h: {shown}.")


def _panel(columns: int) -> float:
    """The width of a panel in inches."""
    return min((WIDTH - _BESIDE) / columns, _WIDEST)


def draw_paintball(
    ensemble: Path, name: str, threshold: Threshold, leads: Sequence[int], output: Path
) -> None:
    """Draw where each member has the event, a colour a member, for each of `leads`."""
    limit = Limit(threshold, threshold.number)
    reached = threshold.symbols(variable(name).units)
    with open_ensemble(ensemble) as dataset:
        grid, init = map_grid(Grid.of(dataset)), initial_time(dataset)
        title = f"{variable(name).long_name.capitalize()} {reached} by member"
        panel = _panel(len(leads))
        size = (len(leads) * panel + _BESIDE, panel * grid.aspect + 0.7)
        with drawn(output, size, title) as figure:
            axes = figure.subplots(1, len(leads), squeeze=False)[0]
            for place, (own, lead) in enumerate(zip(axes, leads, strict=True)):
                members = read_forecast(dataset, name, lead).members
                _paint(own, [] if members is None else members, limit, grid)
                draw_graticule(own, grid, left=place == 0, bottom=True)
            _head(list(axes), init, leads)
            figure.suptitle(title, x=0.01, ha="left")
            describe(figure, f"Maps of {title} at {_in_words(leads)}, a colour a member.")


def _paint(
    axes: Axes, members: Sequence[np.ndarray] | np.ndarray, limit: Limit, grid: MapGrid
) -> None:
    frame(axes)
    image = np.ones((grid.y.size, grid.x.size, 3))
    for place, member in enumerate(members):
        here = limit.reached(member)
        # Where several members have it, the colours mix.
        image[here] = 0.45 * image[here] + 0.55 * np.array(_MEMBERS(place % _MEMBERS.N)[:3])
    axes.imshow(image, origin="lower", extent=grid.extent, interpolation="nearest")


def _draw_row(
    figure: Figure,
    axes: Sequence[Axes],
    title: str,
    fields: Sequence[np.ndarray],
    scale: Scale,
    grid: MapGrid,
    last: bool,
) -> None:
    for place, (own, field) in enumerate(zip(axes, fields, strict=True)):
        image = draw_field(own, field, grid, scale)
        draw_graticule(own, grid, left=place == 0, bottom=last)
    axes[0].set_ylabel(title, fontsize=6.5)
    bar = figure.colorbar(image, ax=list(axes), extend=scale.extend, pad=0.01, aspect=14)
    bar.ax.tick_params(labelsize=6.0)
    bar.outline.set_linewidth(0.5)


def _spread_scale(values: np.ndarray) -> Scale:
    finite = values[np.isfinite(values)]
    high = float(np.percentile(finite, 99.5)) if finite.size else 1.0
    return Scale(colormaps["viridis"], Normalize(0.0, high or 1.0), "max")


def _head(axes: Sequence[Axes], init: datetime, leads: Sequence[int]) -> None:
    for own, lead in zip(axes, leads, strict=True):
        own.set_title(f"+{lead} h · {init + hours(lead):%d %H} UTC", fontsize=7.0)


def _in_words(leads: Sequence[int]) -> str:
    return f"{', '.join(map(str, leads))} h"


def leads_to_show(path: Path, asked: Sequence[int], most: int = 6) -> list[int]:
    """The asked leads of a file or, if it has none of them, at most so many evenly spaced ones."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        leads = leads_of(dataset)
    chosen = [lead for lead in leads if lead in asked]
    return chosen or chosen_leads(leads, most)
