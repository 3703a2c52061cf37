"""Meteograms: quantiles of the members at a place, by valid time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import matplotlib.dates
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.fields.netcdf import leads_of
from stormdraw.report.style import WIDTH, describe, drawn, panels
from stormdraw.report.wording import units_text
from stormdraw.scores.ensemble import initial_time, open_ensemble, read_forecast
from stormdraw.times import hours
from stormdraw.variables import variable

_COLUMNS, _MOST_TICKS = 2, 7
_COLOUR = "#0072B2"
# Pairs of percentiles that a band lies between, the widest first.
_BANDS = ((0.0, 100.0, 0.12), (10.0, 90.0, 0.22), (25.0, 75.0, 0.35))


def members_at(
    ensemble: xr.Dataset, names: Sequence[str], point: tuple[int, int]
) -> dict[str, np.ndarray]:
    """The members (lead, member) of each variable at a point; NaN where one is missing."""
    row, column = point
    count = ensemble.sizes["member"]
    found = {}
    for name in names:
        values = np.full((len(leads_of(ensemble)), count), np.nan)
        for place, lead in enumerate(leads_of(ensemble)):
            members = read_forecast(ensemble, name, lead).members
            if members is not None:
                values[place, : len(members)] = members[:, row, column]
        found[name] = values
    return found


def draw_meteograms(
    ensemble: Path, points: Mapping[str, tuple[int, int]], outputs: Mapping[str, Path]
) -> None:
    """Draw the meteogram of each place, whose grid point is given, to its file."""
    with open_ensemble(ensemble) as dataset:
        names = [str(name) for name in dataset.data_vars if "member" in dataset[name].dims]
        init, leads = initial_time(dataset), leads_of(dataset)
        valid = [init + hours(lead) for lead in leads]
        for place, point in points.items():
            values = members_at(dataset, names, point)
            _draw(place, valid, values, outputs[place])


def _draw(
    place: str, valid: Sequence[datetime], values: Mapping[str, np.ndarray], output: Path
) -> None:
    title = f"Meteogram of {place}"
    rows = -(-len(values) // _COLUMNS)
    with drawn(output, (WIDTH, 1.35 * rows + 0.4), title) as figure:
        axes, lowest = panels(figure, len(values), _COLUMNS)
        for own, (name, members) in zip(axes, values.items(), strict=True):
            _draw_variable(own, valid, members)
            own.set_title(f"{variable(name).long_name} ({units_text(name)})", fontsize=7.5)
            own.tick_params(labelbottom=own in lowest)
        for own in lowest:
            own.set_xlabel("day and hour (UTC)")
        describe(
            figure,
            f"{title}: median, quartiles, 10th and 90th percentile and range of the members of "
            f"{', '.join(values)} from {valid[0]:%Y-%m-%d %H} to {valid[-1]:%Y-%m-%d %H} UTC.",
        )


def _draw_variable(axes: Axes, valid: Sequence[datetime], members: np.ndarray) -> None:
    times = matplotlib.dates.date2num(valid)
    for low, high, opacity in _BANDS:
        lower, upper = np.nanpercentile(members, [low, high], axis=1)
        axes.fill_between(times, lower, upper, color=_COLOUR, alpha=opacity, linewidth=0)
    axes.plot(times, np.nanmedian(members, axis=1), color=_COLOUR, marker=".")
    step = -(-len(valid) // _MOST_TICKS)
    axes.set_xticks(times[::step], [f"{time:%d %H}" for time in valid[::step]])
