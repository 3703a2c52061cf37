"""Forecasts of a larger-scale model, valid at the hour to predict.

They tell a regional model what flows in over its edges and what is aloft. A forecast is driven, at
all its hours, by one cycle: the newest that had been published when it started. In training the
hour t + 1 h of a pair is taken as an hour of a forecast that started any number of hours before, up
to the longest lead, as often one as the other; the driving forecast is then the one that such a
forecast would have had. It is thus of the ages that it has in forecasts, and never an analysis,
which a network would learn to trust too much.

The age is a channel as well. The error of the driving model grows with it: with GFS, 5 h after its
cycle, and leads to 12 h it is 6 to 22 h, and what the fields deserve is not the same. Without the
channel a network would have to give them the weight of the mean age at every hour.
"""

from collections.abc import Sequence

import numpy as np

from stormdraw.archive.driving_schedule import DrivenHour
from stormdraw.fields.driving import DrivingReader
from stormdraw.fields.driving_statistics import DrivingStatistics
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.forcings.standardising import standardised

AGE = "age_of_driving_fields"

# The age that is 1 in its channel: of the order of the oldest, so that the channel is of the order
# of 1 like all others. Fixed, since a model may forecast in another run.
_HOURS_OF_ONE = 24.0


def channels_of_driving(names: Sequence[str]) -> tuple[str, ...]:
    """The channels of these driving variables: `driving_T2M` and so on, and their age."""
    return (*(f"driving_{name}" for name in names), AGE) if names else ()


class DrivingFields(Forcing):
    """The standardised fields of the driving forecast, and its age at the hour to predict.

    `statistics` are those of the variables that `reader` reads, as a model was trained with. Our
    member k is driven by a member of its own if the driving model has members.
    """

    by_lead = True

    def __init__(self, statistics: DrivingStatistics, reader: DrivingReader) -> None:
        self.channels = channels_of_driving(statistics.variables)
        self.by_member = reader.schedule.model.members > 0
        self.statistics = statistics
        self.reader = reader

    def has(self, hour: ForecastHour) -> bool:
        """Whether the driving forecast is there without a missing point."""
        return self.reader.complete(self._driven(hour))

    def gap(self, hour: ForecastHour) -> str:
        """Why there is no driving forecast, as the archive says; empty if it is complete."""
        return self.reader.gap(self._driven(hour))

    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The fields and their age, float32 (variable + 1, y, x).

        Raises StormdrawError if they are not there, or had not been published at `hour.init`.
        """
        driven = self._driven(hour)
        fields = standardised(self.reader.read(driven, None, window), self.statistics)
        old = driven.forecast.lead / _HOURS_OF_ONE
        age = np.full((1, *fields.shape[1:]), old, dtype=np.float32)
        return np.concatenate([fields, age])

    def _driven(self, hour: ForecastHour) -> DrivenHour:
        return self.reader.schedule.hour(hour.init, hour.lead, hour.member)
