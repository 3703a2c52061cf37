"""A check of each value against those of stations around it, at the same hour.

It follows the buddy check of titanlib (https://github.com/metno/titanlib/wiki/Buddy-check), from
which the correction for height and the least number of neighbours are, but with the median and the
median absolute deviation in place of mean and standard deviation, so that one wrong neighbour makes
no right value wrong. titanlib itself needs Boost and GSL to be compiled.

The limits are wide on purpose: a cold pool under a storm or a dry line is 10 K apart from what is
around it, and it must not be dropped, or truth would lack what forecasts find hardest. Wind, gusts
and rain differ that much at any time and are not checked.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from stormdraw.grids import EARTH_RADIUS

_DISTANCE_M = 150_000.0
_HEIGHT_M = 300.0
_LEAST_NEIGHBOURS = 5
# A value is wrong that is this many times the spread of its neighbours from their median.
_TIMES = 4.0
# The median absolute deviation of normal numbers is their standard deviation over this.
_NORMAL = 1.4826
# Who is wrong at more than this share of the hours is wrong at all of them.
_SHARE = 0.5


@dataclass(frozen=True)
class Spread:
    """The smallest spread of neighbours that counts, and the change with height in units per m."""

    least: float
    gradient: float = 0.0


# Checked variables. Temperature is corrected by the standard atmosphere's lapse rate.
SPREADS = {
    "T2M": Spread(3.0, -0.0065),
    "D2M": Spread(4.0),
    "MSLP": Spread(150.0),
    "MSLMA": Spread(150.0),
}


def unlike_neighbours(table: pd.DataFrame, name: str) -> pd.Series:
    """Which rows of a table of reports have a value of a variable unlike those around it.

    Neighbours are at most 150 km and 300 m of height away; with fewer than five values nothing is
    said. Stations without a known height have no neighbours.
    """
    hours, _ = pd.factorize(table["valid"])
    stations, names = pd.factorize(table["station"])
    places = table.groupby("station")[["latitude", "longitude", "elevation"]].last().loc[names]
    values = np.full((hours.max(initial=-1) + 1, len(names)), np.nan)
    values[hours, stations] = table[name]
    spread = SPREADS[name]
    heights = places["elevation"].to_numpy()
    wrong = np.zeros(values.shape, dtype=bool)
    for station, around in enumerate(_around(places)):
        if len(around) >= _LEAST_NEIGHBOURS:
            lifted = values[:, around] + spread.gradient * (heights[station] - heights[around])
            wrong[:, station] = _outside(values[:, station], lifted, spread.least)
    reported = np.isfinite(values)
    wrong |= reported & (wrong.sum(axis=0) > _SHARE * reported.sum(axis=0))
    return pd.Series(wrong[hours, stations], index=table.index)


def _around(places: pd.DataFrame) -> list[np.ndarray]:
    """The neighbours of each station, by their places in the table."""
    latitude, longitude = np.deg2rad(places[["latitude", "longitude"]].to_numpy().T)
    points = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ],
        axis=-1,
    )
    chord = 2.0 * np.sin(0.5 * _DISTANCE_M / EARTH_RADIUS)
    heights = places["elevation"].to_numpy()
    found = []
    for station, near in enumerate(cKDTree(points).query_ball_point(points, chord)):
        others = np.array([other for other in near if other != station], dtype=int)
        found.append(others[np.abs(heights[others] - heights[station]) <= _HEIGHT_M])
    return found


def _outside(values: np.ndarray, around: np.ndarray, least: float) -> np.ndarray:
    """Which of the values `(hour,)` are outside their neighbours `(hour, neighbour)`."""
    enough = np.isfinite(around).sum(axis=1) >= _LEAST_NEIGHBOURS
    outside = np.zeros(values.shape, dtype=bool)
    if enough.any():
        around = around[enough]
        middle = np.nanmedian(around, axis=1)
        spread = _NORMAL * np.nanmedian(np.abs(around - middle[:, None]), axis=1)
        distance = np.abs(values[enough] - middle)
        outside[enough] = distance > _TIMES * np.maximum(spread, least)
    return outside
