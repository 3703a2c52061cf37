"""The forcings of a network: all channels of its condition that are not states.

Each kind is a class of its own (see `forcing.py`): the hour, the sun, the position, the terrain and
the land mask, which are known in advance, the fields of the initial time, and forecasts of a
driving model. `channels_of` lists the channels of a model before there is any data, and
`make_forcings` makes them; nothing else counts or names them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.grids import WHOLE_GRID, Grid, Window, with_ends
from stormdraw.models.forcings.driving_fields import DrivingFields, channels_of_driving
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.hour_of_day import HourOfDay
from stormdraw.models.forcings.initial_fields import Fields, InitialFields, channels_of_inputs
from stormdraw.models.forcings.land import Land
from stormdraw.models.forcings.position import Position
from stormdraw.models.forcings.solar_elevation import SolarElevation
from stormdraw.models.forcings.terrain import Terrain
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles

if TYPE_CHECKING:
    from stormdraw.models.forecaster import Forecaster

# The forcings that a model's configuration names and that are known in advance.
_KNOWN: dict[str, type[Forcing]] = {
    "hour_of_day": HourOfDay,
    "solar_elevation": SolarElevation,
    "position": Position,
    "terrain": Terrain,
    "land": Land,
}


def channels_of(settings: ModelSettings, roles: Roles) -> tuple[str, ...]:
    """The names of the channels of a model whose variables have these roles, in order."""
    known = [_KNOWN[name].channels for name in settings.forcings if name in _KNOWN]
    driving = () if settings.driven_by is None else settings.driven_by.variables
    return (*chain(*known), *channels_of_driving(driving), *channels_of_inputs(roles.input))


class Forcings:
    """The forcings of a model on a grid of `shape` (y, x)."""

    def __init__(self, shape: tuple[int, int], parts: Sequence[Forcing]) -> None:
        self.shape = shape
        self._parts = tuple(parts)

    def __iter__(self) -> Iterator[Forcing]:
        """Each forcing, in the order of their channels."""
        return iter(self._parts)

    @property
    def by_lead(self) -> bool:
        """Whether any depends on when a forecast started."""
        return any(part.by_lead for part in self)

    @property
    def terrain(self) -> Terrain | None:
        """The terrain, if it is one of them."""
        return next((part for part in self if isinstance(part, Terrain)), None)

    @property
    def driving(self) -> DrivingFields | None:
        """The fields of the driving model, if they are one of them."""
        return next((part for part in self if isinstance(part, DrivingFields)), None)

    def has(self, hour: ForecastHour) -> bool:
        """Whether all have data for an hour of a forecast."""
        return all(part.has(hour) for part in self)

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """All channels for an hour of a forecast, float32 (channel, y, x), on a part of the grid.

        They are in the order of `channels_of`.
        """
        rows, columns = (part.stop - part.start for part in with_ends(window, self.shape))
        none = np.empty((0, rows, columns), dtype=np.float32)
        return np.concatenate([none, *(part.at(hour, window) for part in self)])

    def for_members(self, init: datetime, lead: int, members: Sequence[int]) -> np.ndarray:
        """The channels at one hour of a forecast, float32 (M, channel, y, x), on the whole grid.

        M is 1 if they are the same for all `members`.
        """
        if not any(part.by_member for part in self):
            members = members[:1]
        return np.stack([self.at(ForecastHour(init, lead, member)) for member in members])


def make_forcings(
    names: Sequence[str],
    grid: Grid,
    static_path: str | Path | None = None,
    terrain_statistics: tuple[float, float] | None = None,
    more: Sequence[Forcing] = (),
) -> Forcings:
    """The forcings of a model on a grid: those of `names` that are known in advance, and `more`.

    `terrain_statistics` are the mean and standard deviation in metres that the model was trained
    with; without them the terrain is standardised by its own. Raises StormdrawError if the terrain
    or the land mask is asked for but missing from the static file, or is on another grid.
    """
    make: dict[str, Callable[[], Forcing]] = {
        "hour_of_day": lambda: HourOfDay(grid),
        "solar_elevation": lambda: SolarElevation(grid),
        "position": lambda: Position(grid),
        "terrain": lambda: Terrain(grid, static_path, terrain_statistics),
        "land": lambda: Land(grid, static_path),
    }
    return Forcings(grid.shape, [*(make[name]() for name in names if name in make), *more])


def forcings_of(
    model: "Forecaster",
    grid: Grid,
    static_path: str | Path | None,
    terrain_statistics: tuple[float, float] | None,
    inputs: Fields,
    driving: DrivingFields | None = None,
) -> Forcings:
    """All forcings of a model on a grid; `inputs` reads the fields of the role input.

    `driving` are the fields that drive it, if it is driven. The others are as in `make_forcings`,
    which raises the same. Raises StormdrawError for driving fields on another grid.
    """
    more: list[Forcing] = []
    if model.settings.driven:
        more.append(_on_grid(driving, grid))
    names = model.roles.input
    if names:
        more.append(InitialFields(model.statistics.of(names), inputs))
    return make_forcings(model.settings.forcings, grid, static_path, terrain_statistics, more)


def _on_grid(driving: DrivingFields | None, grid: Grid) -> DrivingFields:
    if driving is None:
        raise ValueError("a driven model needs its driving fields")
    if not driving.reader.grid.matches(grid):
        raise StormdrawError(
            "results/fields/driving lies on another grid than the states; delete it to make it "
            "again"
        )
    return driving
