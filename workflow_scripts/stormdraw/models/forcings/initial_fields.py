"""Fields that are known at the initial time of a forecast only: the variables of the role `input`.

HRRR's upper air is such a field: a network cannot predict it unless it is part of its state. It is
given at every hour of a forecast as it was at the initial time, together with its age, since what
it says of the hour to predict changes with that. Its alternative, to give it to the first step
alone, would need another network for the later ones.

A pair of consecutive hours (t, t + 1 h) to learn from must then show old fields as well. With the
fields of hour t alone, a network would learn to trust them as if they were always fresh, and meet
ages in forecasts that it never saw. So in training the fields are those of t - age, with the age
drawn from 0 to one less than the longest lead of the run, as often one as the other: the ages of
the hours of a forecast. Nothing of a pair's condition is later than t.
"""

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np

from stormdraw.fields.statistics import Statistics
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.standardising import standardised

AGE = "age_of_initial_fields"

# The age that is 1 in its channel: of the order of the longest leads, so that the channel is of the
# order of 1 like all others. Fixed, since a model may forecast in another run.
HOURS_OF_ONE = 12.0


def channels_of_inputs(names: Sequence[str]) -> tuple[str, ...]:
    """The channels of these variables: one for each, and their age."""
    return (*names, AGE) if names else ()


class Fields(Protocol):
    """Reads the fields of some variables; `usable` are the hours that have no missing point."""

    @property
    def usable(self) -> Container[datetime]: ...

    def read(
        self, time: datetime, out: np.ndarray | None = None, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The fields valid at a time, float32 (variable, y, x).

        Raises StormdrawError if they are not there or not finite.
        """


class InitialFields(Forcing):
    """The standardised fields of a forecast's initial time, and their age.

    `statistics` are those of the variables that `fields` reads. The age is that at the start of the
    step: 0 for the first hour of a forecast.
    """

    by_lead = True

    def __init__(self, statistics: Statistics, fields: Fields) -> None:
        self.channels = channels_of_inputs(statistics.variables)
        self._statistics = statistics
        self._fields = fields
        # Those of the last whole grid: all hours and members of a forecast need the same.
        self._held: tuple[datetime, np.ndarray] | None = None

    def has(self, hour: ForecastHour) -> bool:
        """Whether the fields of the initial time are complete."""
        return hour.init in self._fields.usable

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The fields and their age, float32 (variable + 1, y, x).

        Raises StormdrawError if the fields are not there or have missing points.
        """
        fields = self._standardised(hour.init, window)
        age = np.full((1, *fields.shape[1:]), (hour.lead - 1) / HOURS_OF_ONE, dtype=np.float32)
        return np.concatenate([fields, age])

    def _standardised(self, time: datetime, window: Window) -> np.ndarray:
        held = self._held
        if held is not None and held[0] == time and window == WHOLE_GRID:
            return held[1]
        fields = standardised(self._fields.read(time, None, window), self._statistics)
        if window == WHOLE_GRID:
            self._held = time, fields
        return fields
