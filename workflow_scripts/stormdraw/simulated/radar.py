"""The radars of the world and their mosaic, MRMS: what they see of composite reflectivity.

Two radars stand on hills. Beyond their range, and where ground stands in the way of the lowest
beam, there is no coverage. Elsewhere the mosaic has, at each point of the box of 3 km,

    echo = REFC - 0.01 dB/km r + 1.0 dB z,   z standard normal numbers, r the distance to a radar

in half decibels, and no echo below 0 dBZ. Each of its points of 0.01 degree takes that of the
nearest point of the box. A file is of some seconds before or after the full hour, by its name and
its header, but what it shows is of the full hour.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates

from stormdraw.files import replacing
from stormdraw.grids import EARTH_RADIUS, Grid, latitude_longitude
from stormdraw.seeds import generator_for
from stormdraw.simulated.domain import Domain
from stormdraw.simulated.lattices import Interpolation
from stormdraw.simulated.layout import mosaic_path
from stormdraw.simulated.mosaic_messages import NO_COVERAGE, NO_ECHO, mosaic_file
from stormdraw.times import format_init

ATTENUATION = 0.01  # dB/km
NOISE = 1.0  # dB
LEAST_ECHO = 0.0  # dBZ
STEP = 0.5  # dB
MOST_SECONDS = 60

_RANGE = 150e3
# Where the radars stand in the window, as shares of its height and width, and how far around these
# places the highest hill is looked for.
_PLACES = ((0.35, 0.25), (0.6, 0.75))
_AROUND = 20e3
# Of the antenna above the ground in m, and of the lowest beam above the horizontal in degrees.
_TOWER, _LOWEST = 20.0, 0.0
# The beam of a radar bends with 4/3 of the Earth's radius.
_BENT_RADIUS = 4 / 3 * EARTH_RADIUS
_RAYS = 720
_ALONG = 1000.0

_HUNDREDTHS = 100
_MARGIN = 0.05


@dataclass(frozen=True)
class Radars:
    """The radars of a domain with its terrain in m, (y, x) on the box."""

    domain: Domain
    terrain: np.ndarray

    @functools.cached_property
    def places(self) -> list[tuple[int, int]]:
        """Row and column on the box of each radar: the highest hill around its place."""
        rows, columns = np.indices(self.terrain.shape)
        found = []
        for share_y, share_x in _PLACES:
            row = self.domain.corner[0] + share_y * self.domain.window.shape[0]
            column = self.domain.corner[1] + share_x * self.domain.window.shape[1]
            near = np.hypot(rows - row, columns - column) * self.domain.spacing <= _AROUND
            highest = np.argmax(np.where(near, self.terrain, -np.inf))
            y, x = np.unravel_index(highest, self.terrain.shape)
            found.append((int(y), int(x)))
        return found

    @functools.cached_property
    def distance(self) -> np.ndarray:
        """The distance in m to the nearest radar, (y, x) on the box."""
        return np.min([self._distance_to(place) for place in self.places], axis=0)

    @functools.cached_property
    def covered(self) -> np.ndarray:
        """Where some radar sees, (y, x) on the box."""
        return np.any([self._seen_from(place) for place in self.places], axis=0)

    def _distance_to(self, place: tuple[int, int]) -> np.ndarray:
        rows, columns = np.indices(self.terrain.shape)
        return np.hypot(rows - place[0], columns - place[1]) * self.domain.spacing

    def _seen_from(self, place: tuple[int, int]) -> np.ndarray:
        """Where the lowest beam of a radar passes above all ground on its way."""
        distance = self._distance_to(place)
        rows, columns = np.indices(self.terrain.shape)
        angle = np.arctan2(rows - place[0], columns - place[1]) % (2 * np.pi)
        # Ground along rays, from the radar outwards: (ray, step).
        along = np.arange(_ALONG, _RANGE + _ALONG, _ALONG)
        rays = np.arange(_RAYS) * 2 * np.pi / _RAYS
        at = [
            place[0] + np.sin(rays)[:, None] * along / self.domain.spacing,
            place[1] + np.cos(rays)[:, None] * along / self.domain.spacing,
        ]
        ground = map_coordinates(self.terrain.astype(np.float64), at, order=1, mode="nearest")
        antenna = float(self.terrain[place]) + _TOWER
        beam = antenna + np.tan(np.radians(_LOWEST)) * along + along**2 / (2 * _BENT_RADIUS)
        blocked = np.logical_or.accumulate(ground > beam, axis=1)
        ray = np.rint(angle / (2 * np.pi) * _RAYS).astype(int) % _RAYS
        step = np.clip(np.rint(distance / _ALONG).astype(int) - 1, 0, along.size - 1)
        return (distance <= _RANGE) & ~blocked[ray, step]


class MosaicFiles:
    """Writes the mosaic at some hours, each when the world reaches it.

    The same seed gives the same files: noise and seconds depend on the hour alone.
    """

    def __init__(self, radars: Radars, run_seed: int) -> None:
        self._radars = radars
        self._run_seed = run_seed
        self.grid = hundredth_degree_grid(radars.domain.window)
        self._interpolation = Interpolation(radars.domain.box, self.grid)

    def write(self, folder: Path, reflectivity: np.ndarray, valid: datetime) -> None:
        """Write the file of an hour of the true reflectivity in dBZ, (y, x) on the box."""
        generator = generator_for(self._run_seed, "simulated", "radar", format_init(valid))
        seconds = int(generator.integers(-MOST_SECONDS, MOST_SECONDS + 1))
        noise = generator.standard_normal(reflectivity.shape)
        seen = self._interpolation.apply({"REFC": self.seen(reflectivity, noise)})["REFC"]
        time = valid + timedelta(seconds=seconds)
        path = folder / mosaic_path(time)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(mosaic_file(seen, self.grid, time))

    def seen(self, reflectivity: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The mosaic on the box, (y, x), with both of its codes."""
        echo = reflectivity - ATTENUATION / 1000 * self._radars.distance + NOISE * noise
        echo = np.rint(echo / STEP) * STEP
        echo = np.where(echo < LEAST_ECHO, NO_ECHO, echo)
        return np.where(self._radars.covered, echo, NO_COVERAGE)


def hundredth_degree_grid(window: Grid) -> Grid:
    """The points of MRMS around a window: in the middle of hundredths of a degree."""
    longitude, latitude = window.longitude_latitude()
    (west, east), (south, north) = (_hundredths(one) for one in (longitude, latitude))
    shape = (round(_HUNDREDTHS * (north - south)) + 1, round(_HUNDREDTHS * (east - west)) + 1)
    return latitude_longitude(west, east, south, north, shape)


def _hundredths(covered: np.ndarray) -> Sequence[float]:
    first = np.floor(_HUNDREDTHS * (covered.min() - _MARGIN)) + 0.5
    last = np.ceil(_HUNDREDTHS * (covered.max() + _MARGIN)) - 0.5
    return first / _HUNDREDTHS, last / _HUNDREDTHS
