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


def members_at(ensemble: xr.Dataset, name: str, points: Sequence[tuple[int, int]]) -> np.ndarray:
    """The members (point, lead, member) of a variable; NaN where one is missing."""
    rows, columns = np.array(points).T
    leads = leads_of(ensemble)
    values = np.full((len(points), len(leads), ensemble.sizes["member"]), np.nan)
    for place, lead in enumerate(leads):
        members = read_forecast(ensemble, name, lead, lambda field: field[rows, columns]).members
        if members is not None:
            values[:, place, : len(members)] = members.T
    return values


def draw_meteograms(
    ensemble: Path, points: Mapping[str, tuple[int, int]], outputs: Mapping[str, Path]
) -> None:
    """Draw the meteogram of each place, whose grid point is given, to its file."""
    if not points:
        return
    with open_ensemble(ensemble) as dataset:
        names = [str(name) for name in dataset.data_vars if "member" in dataset[name].dims]
        init, leads = initial_time(dataset), leads_of(dataset)
        # All places at once: a file is compressed by fields.
        values = {name: members_at(dataset, name, list(points.values())) for name in names}
    valid = [init + hours(lead) for lead in leads]
    for index, place in enumerate(points):
        own = {name: members[index] for name, members in values.items()}
        _draw(place, valid, own, outputs[place])


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
