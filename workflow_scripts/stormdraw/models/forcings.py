"""Condition channels that are known in advance: the hour, the sun and the terrain.

They are taken at the valid time of the target state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.variables import TERRAIN

CHANNELS = {"hour_of_day": 2, "solar_elevation": 1, "terrain": 1}

_J2000 = datetime(2000, 1, 1, 12)


def channel_count(names: Sequence[str]) -> int:
    """The total number of channels of these forcings."""
    return sum(CHANNELS[name] for name in names)


@dataclass(frozen=True)
class Terrain:
    """Standardised terrain height, float32 (y, x), with its mean and standard deviation (m)."""

    field: np.ndarray
    mean: float
    std: float


@dataclass(frozen=True)
class Forcings:
    """The forcing channels of one grid at any time.

    `latitude` and `longitude` are in degrees, each (y, x).
    """

    names: tuple[str, ...]
    latitude: np.ndarray
    longitude: np.ndarray
    terrain: Terrain | None

    def at(self, time: datetime, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channels at a valid time, float32 (channel, y, x), on a part of the grid."""
        latitude, longitude = self.latitude[window], self.longitude[window]
        channels: list[np.ndarray] = []
        for name in self.names:
            if name == "hour_of_day":
                angle = 2.0 * np.pi * (time.hour + time.minute / 60.0) / 24.0
                channels += [np.full(latitude.shape, f(angle)) for f in (np.sin, np.cos)]
            elif name == "solar_elevation":
                # The sine: proportional to the sun's power on a level surface, and bounded.
                elevation = solar_elevation(time, latitude, longitude)
                channels.append(np.sin(np.radians(elevation)))
            elif self.terrain is not None:
                channels.append(self.terrain.field[window])
        if not channels:
            return np.empty((0, *latitude.shape), dtype=np.float32)
        return np.stack(channels).astype(np.float32)


def make_forcings(
    names: Sequence[str],
    grid: Grid,
    static_path: str | Path | None,
    terrain_statistics: tuple[float, float] | None = None,
) -> Forcings:
    """The forcings of a model on a grid.

    `terrain_statistics` are the mean and standard deviation in metres that the model was trained
    with; without them the terrain is standardised by its own. Raises StormdrawError if the terrain
    is asked for but missing from the static file, or is on another grid.
    """
    longitude, latitude = grid.longitude_latitude()
    terrain = None
    if "terrain" in names:
        height = _read_terrain(static_path, grid)
        mean, std = terrain_statistics or (float(height.mean()), float(height.std()) or 1.0)
        terrain = Terrain(((height - mean) / std).astype(np.float32), mean, std)
    return Forcings(tuple(names), latitude, longitude, terrain)


def _read_terrain(path: str | Path | None, grid: Grid) -> np.ndarray:
    """Terrain height in metres, float64 (y, x)."""
    if path is None:
        raise StormdrawError(
            f"the forcing `terrain` needs {TERRAIN}: add it to fields.static, "
            "or leave the forcing out of the model's configuration"
        )
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        if TERRAIN not in dataset:
            raise StormdrawError(
                f"{path}: has no {TERRAIN}, which the forcing `terrain` needs; "
                "add it to fields.static"
            )
        if not grid.matches(Grid.of(dataset)):
            raise StormdrawError(f"{path}: lies on another grid than the states; delete it")
        height = dataset[TERRAIN].values.astype(np.float64)
    if not np.isfinite(height).all():
        raise StormdrawError(f"{path}: {TERRAIN} has NaN at {np.isnan(height).sum()} points")
    return height


def solar_elevation(time: datetime, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Height of the sun's centre above the horizon in degrees, without refraction.

    Low-precision formulas of the Astronomical Almanac (U.S. Naval Observatory, page C5; good to
    0.01 degrees between 1950 and 2050). `latitude` and `longitude` are in degrees, of any shape.
    """
    days = (time - _J2000).total_seconds() / 86400.0
    mean_longitude = 280.460 + 0.9856474 * days
    mean_anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic_longitude = np.radians(
        mean_longitude + 1.915 * np.sin(mean_anomaly) + 0.020 * np.sin(2.0 * mean_anomaly)
    )
    obliquity = np.radians(23.439 - 4.0e-7 * days)
    right_ascension = np.arctan2(
        np.cos(obliquity) * np.sin(ecliptic_longitude), np.cos(ecliptic_longitude)
    )
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic_longitude))
    # Greenwich mean sidereal time in degrees, from the same days (universal time).
    sidereal = 280.46062 + 360.98564737 * days
    hour_angle = np.radians(sidereal + longitude) - right_ascension
    latitude = np.radians(latitude)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
