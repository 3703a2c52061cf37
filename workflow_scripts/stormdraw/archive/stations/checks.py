"""Checks of reports at full hours, each of which drops values and says so.

In order: stations on the list of the configuration, the bounds of the table of variables, dew point
above temperature and gust below wind, a sensor that is stuck, and neighbours. A value that one
check drops is not seen by the next.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.neighbours import SPREADS, unlike_neighbours
from stormdraw.archive.stations.settings import STUCK_HOURS, WIND
from stormdraw.archive.stations.table import variables_of
from stormdraw.variables import variable

# A sensor is stuck that reports one value for `STUCK_HOURS`, in at least so many reports. In half a
# day, temperature and pressure change by more than the step of 0.1 K or 0.1 hPa. A calm or a dry
# night lasts longer, so wind and rain are not checked.
_STUCK_REPORTS = 8
_STUCK_VARIABLES = ("T2M", "D2M", "MSLP", "MSLMA")

# What is at most something else, and what is dropped where it is not, since nobody knows which of
# them is wrong. The components of a wind have its speed.
_AT_MOST = (("D2M", "T2M", ("D2M", "T2M")), ("WIND10", "GUST", (*WIND, "GUST")))
# In K and m/s: from units that are converted, of two equal values either may come out above.
_ROUNDING = 0.01


def check(table: pd.DataFrame, excluded: Collection[str], dropped: Dropped) -> pd.DataFrame:
    """The reports that are left, a row a station and hour, with NaN for each value dropped."""
    table = _without(table, excluded, dropped).reset_index(drop=True)
    _drop_beyond_bounds(table, dropped)
    _drop_inconsistent(table, dropped)
    for name in _STUCK_VARIABLES:
        if name in table:
            _drop(table, name, _stuck(table, name), "stuck", dropped)
    for name in SPREADS:
        if name in table:
            _drop(table, name, unlike_neighbours(table, name), "neighbours", dropped)
    return table


def _without(table: pd.DataFrame, excluded: Collection[str], dropped: Dropped) -> pd.DataFrame:
    listed = table["station"].isin(list(excluded))
    for name in variables_of(table):
        rows = table[listed & table[name].notna()]
        dropped.add(rows, name, rows[name], "blacklisted")
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
    """Which rows are part of a run of one value that lasts `STUCK_HOURS`."""
    rows = table[table[name].notna()].sort_values(["station", "valid"])
    begins = (rows["station"] != rows["station"].shift()) | (rows[name] != rows[name].shift())
    runs = rows.groupby(begins.cumsum())["valid"]
    lasted = runs.transform("max") - runs.transform("min")
    stuck = (lasted >= pd.Timedelta(hours=STUCK_HOURS)) & (runs.transform("size") >= _STUCK_REPORTS)
    return stuck.reindex(table.index, fill_value=False)
