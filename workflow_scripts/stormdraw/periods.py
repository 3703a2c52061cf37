"""The training, validation and test periods of a run, and its cases."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from stormdraw.section import Hour, LastHour, Section
from stormdraw.times import hourly


class Period(Section):
    """Valid times from `start` to `end`, both included, hourly.

    A date without an hour starts a period with its first hour and ends it with its last.
    """

    start: Hour
    end: LastHour

    @model_validator(mode="after")
    def _ordered(self) -> "Period":
        if self.end < self.start:
            raise ValueError(f"ends ({self.end}) before it starts ({self.start})")
        return self

    def times(self) -> list[datetime]:
        """Every hour of the period."""
        return list(hourly(self.start, self.end))


class Periods(Section):
    """The training, validation and test periods, which never share hours.

    Without models and whatever else learns from them, there need be no training hours; a forecast
    has no periods.
    """

    training: Period | None = None
    validation: Period | None = None
    test: Period | None = None

    def named(self) -> list[tuple[str, Period]]:
        """(name, period) in order of time."""
        periods = {"training": self.training, "validation": self.validation, "test": self.test}
        given = [(name, period) for name, period in periods.items() if period is not None]
        return sorted(given, key=lambda pair: pair[1].start)

    def training_times(self) -> list[datetime]:
        """Every hour to learn from, none without a training period."""
        return [] if self.training is None else self.training.times()

    def validation_times(self) -> list[datetime]:
        """Every hour of validation, none without it."""
        return [] if self.validation is None else self.validation.times()


class Cases(Section):
    """Initial times: the test period's start and every `every_hours` after it.

    30 hours cycles through the initial hours of the day and still gives each case its own day.
    `history` is the number of hourly states, the last at the initial time, that forecasts may start
    from.
    """

    every_hours: Annotated[int, Field(ge=1)] = 30
    history: Annotated[int, Field(ge=1, le=24)] = 1
