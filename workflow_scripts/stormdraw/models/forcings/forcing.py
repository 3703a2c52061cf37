"""What a forcing is: a few condition channels of the hour to predict."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.times import hours


@dataclass(frozen=True)
class ForecastHour:
    """An hour of a forecast: `lead` hours after `init`; `member` counts from 0.

    It is None of an hour that is learnt from, which is of no member.

    A pair of consecutive hours to learn from is such an hour as well, of a forecast that could have
    started up to that many hours before: what a network gets in training is thus what it gets in
    forecasts.
    """

    init: datetime
    lead: int
    member: int | None = None

    @property
    def valid(self) -> datetime:
        """The valid time of the state to predict."""
        return self.init + hours(self.lead)

    @classmethod
    def at(cls, valid: datetime, lead: int = 1) -> "ForecastHour":
        """The hour of a forecast, of no member, that is valid then."""
        return cls(valid - hours(lead), lead)


class Forcing(ABC):
    """Some channels of a network's condition, besides the states.

    `channels` are their names. `by_lead` says whether they depend on when a forecast started, not
    on its valid time alone, and `by_member` whether they differ between the members of a forecast;
    neither is true of what is known in advance.
    """

    channels: tuple[str, ...]
    by_lead: bool = False
    by_member: bool = False

    def has(self, hour: ForecastHour) -> bool:
        """Whether there is data for an hour of a forecast; training leaves the others out."""
        return True

    @abstractmethod
    def at(self, hour: ForecastHour, window: Window = WHOLE_GRID) -> np.ndarray:
        """The channels, float32 (channel, y, x), on a part of the grid.

        They hold nothing that a forecast could not have had at `hour.init`. Several threads may
        call at once.
        """
