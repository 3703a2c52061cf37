"""Checks of reports, each of which drops values and says so.

Of all reports: stations that are at two places. Of those at full hours, in order: stations on the
list of the configuration, the bounds of the table of variables, dew point above temperature and
gust below wind, a sensor that is stuck, and neighbours. A value that one check drops is not seen by
the next.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.neighbours import SPREADS, unlike_neighbours
from stormdraw.archive.stations.settings import STUCK_HOURS, WIND
from stormdraw.archive.stations.table import variables_of
from stormdraw.variables import variable

# Degrees by which two places of one station may differ, since lists round them.
_SAME_PLACE = 0.05

# A sensor is stuck that reports one value for `STUCK_HOURS`, in at least so many reports. In half a
# day, temperature and pressure change by more than the step of 0.1 K or 0.1 hPa, in K and Pa. They
# may not by a whole degree in fog: a station that reports in steps of these sizes is stuck if it
# reports nothing else. A calm or a dry night lasts longer, so wind and rain are not checked.
_STUCK_REPORTS = 8
_COARSE_STEPS = {"T2M": 0.5, "D2M": 0.5, "MSLP": 50.0, "MSLMA": 50.0}

# What is at most something else, and what is dropped where it is not, since nobody knows which of
# them is wrong. The components of a wind have its speed.
_AT_MOST = (("D2M", "T2M", ("D2M", "T2M")), ("WIND10", "GUST", (*WIND, "GUST")))
# In K and m/s: from units that are converted, of two equal values either may come out above.
_ROUNDING = 0.01


def check(table: pd.DataFrame, excluded: Collection[str], dropped: Dropped) -> pd.DataFrame:
    """The reports that are left, a row a station and hour, with NaN for each value dropped."""
    table = _without(table, excluded, "blacklisted", "valid", dropped).reset_index(drop=True)
    _drop_beyond_bounds(table, dropped)
    _drop_inconsistent(table, dropped)
    for name in _COARSE_STEPS:
        if name in table:
            _drop(table, name, _stuck(table, name), "stuck", dropped)
    for name in SPREADS:
        if name in table:
            _drop(table, name, unlike_neighbours(table, name), "neighbours", dropped)
    return table


def at_one_place(reports: pd.DataFrame, dropped: Dropped) -> pd.DataFrame:
    """The reports of stations that are at one place.

    Of two stations with one name, or one that moves, nobody knows where a report is from.
    """
    places = reports[["latitude", "longitude"]]
    first = places.groupby(reports["station"]).transform("first")
    apart = ((places - first + 180.0) % 360.0 - 180.0).abs()
    moving = reports.loc[(apart > _SAME_PLACE).any(axis=1), "station"].unique()
    return _without(reports, moving, "two_places", "reported", dropped)


def _without(
    table: pd.DataFrame, stations: Collection[str], reason: str, time: str, dropped: Dropped
) -> pd.DataFrame:
    """A table without some stations; `time` is the column of the time that they are listed with."""
    listed = table["station"].isin(list(stations))
    for name in variables_of(table):
        rows = table[listed & table[name].notna()]
        dropped.add(rows, name, rows[name], reason, time)
    return table[~listed]


def _drop(table: pd.DataFrame, name: str, wrong: pd.Series, reason: str, dropped: Dropped) -> None:
    """Set values to NaN, in place."""
    wrong = wrong & table[name].notna()
    dropped.add(table[wrong], name, table.loc[wrong, name], reason)
    table.loc[wrong, name] = np.nan


def _drop_beyond_bounds(table: pd.DataFrame, dropped: Dropped) -> None:
    """What is beyond the table's bounds; of a wind that is, components and speed."""
    wrong = {
        name: table[name].notna() & ~table[name].between(variable(name).lower, variable(name).upper)
        for name in variables_of(table)
    }
    wind = [wrong[name] for name in WIND if name in wrong]
    for name, rows in wrong.items():
        rows = np.logical_or.reduce(wind) if name in WIND else rows
        _drop(table, name, rows, "gross_limits", dropped)


def _drop_inconsistent(table: pd.DataFrame, dropped: Dropped) -> None:
    """What contradicts each other."""
    for lower, upper, names in _AT_MOST:
        if lower in table and upper in table:
            wrong = table[lower] > table[upper] + _ROUNDING
            for name in names:
                if name in table:
                    _drop(table, name, wrong, "inconsistent", dropped)


def _stuck(table: pd.DataFrame, name: str) -> pd.Series:
    """Which rows are part of a run of one value that lasts `STUCK_HOURS`, of a fine sensor."""
    rows = table[table[name].notna()].sort_values(["station", "valid"])
    begins = (rows["station"] != rows["station"].shift()) | (rows[name] != rows[name].shift())
    runs = rows.groupby(begins.cumsum())["valid"]
    lasted = runs.transform("max") - runs.transform("min")
    stuck = (lasted >= pd.Timedelta(hours=STUCK_HOURS)) & (runs.transform("size") >= _STUCK_REPORTS)
    steps = rows.groupby("station")[name].agg(_step)
    coarse = steps[steps >= _COARSE_STEPS[name]].index
    stuck &= ~rows["station"].isin(coarse)
    return stuck.reindex(table.index, fill_value=False)


def _step(values: pd.Series) -> float:
    """The least difference between two values; NaN if all are the same."""
    different = np.unique(values)
    return float(np.diff(different).min()) if different.size > 1 else np.nan
