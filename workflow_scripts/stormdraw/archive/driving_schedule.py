"""Which forecast of the driving model drives an hour of ours.

A forecast may only know what had been published when it started: a cycle of the driving model
appears some hours after its time (`latency_hours`). Training therefore uses forecasts of the ages
that forecasting will have, never analyses.
"""

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta

from stormdraw.archive.driving_model import DrivingModel
from stormdraw.errors import StormdrawError
from stormdraw.seeds import generator_for, seed_for
from stormdraw.times import format_init, hours

# A run that old is no forecast any more.
_OLDEST_HOURS = 120


@dataclass(frozen=True, order=True)
class DrivingForecast:
    """A field of the driving model: `lead` hours after its `cycle`; `member` from 1, 0 if single.

    As a forecast that an hour needs, `lead` may lie between two leads of the archive.
    """

    cycle: datetime
    member: int
    lead: int

    def __str__(self) -> str:
        """`2026060806+007`, or with its member `2026060806.p01+006`."""
        member = f".p{self.member:02d}" if self.member else ""
        return f"{format_init(self.cycle)}{member}+{self.lead:03d}"

    @property
    def valid(self) -> datetime:
        """The time that it is a forecast for."""
        return self.cycle + hours(self.lead)


@dataclass(frozen=True)
class DrivenHour:
    """An hour of ours, `lead` hours after its initial time `init`, and the forecast driving it."""

    init: datetime
    lead: int
    forecast: DrivingForecast

    @property
    def valid(self) -> datetime:
        """The valid time of the hour."""
        return self.init + hours(self.lead)


@dataclass(frozen=True)
class Schedule:
    """The cycles of a driving model, as they are known to forecasts of up to `longest_lead` hours.

    `run_seed` chooses what training draws.
    """

    model: DrivingModel
    latency_hours: int
    longest_lead: int
    run_seed: int = 0

    def hour(self, init: datetime, lead: int, member: int | None = None) -> DrivenHour:
        """What drives the hour `lead` (1 to `longest_lead`) of a forecast from `init`.

        All hours of a forecast have one cycle. Our member k, counted from 0, is driven by member k
        modulo their number; without `member`, as in training, by the one that training takes of
        that cycle. Raises StormdrawError if no published cycle reaches the longest lead.
        """
        if not 1 <= lead <= self.longest_lead:
            raise ValueError(f"lead {lead} is not within 1 to {self.longest_lead} h")
        cycle = self.newest_cycle(init)
        number = self.training_member(cycle) if member is None else self.driving_member(member)
        own = (init + hours(lead) - cycle) // hours(1)
        return DrivenHour(init, lead, DrivingForecast(cycle, number, own))

    def newest_cycle(self, init: datetime) -> datetime:
        """The newest cycle published at an initial time that is long enough for its forecast.

        Raises StormdrawError if there is none.
        """
        return _newest_cycle(self, init)

    def possible(self, valid: datetime) -> list[DrivenHour]:
        """All hours of forecasts that are valid at a training time, one for each lead.

        In forecasting the hour may be at any of these leads, and each has its own cycle.
        """
        leads = range(1, self.longest_lead + 1)
        return [self.hour(valid - hours(lead), lead) for lead in leads]

    def draw(self, valid: datetime, *labels: str | int) -> DrivenHour:
        """One of `possible`, each as likely; `labels` (such as the epoch) name the draw."""
        generator = generator_for(self.run_seed, "driving", format_init(valid), *labels)
        lead = int(generator.integers(1, self.longest_lead + 1))
        return self.hour(valid - hours(lead), lead)

    def driving_member(self, member: int) -> int:
        """The number of the driving member of our member k, counted from 0; 0 if single."""
        return 1 + member % self.model.members if self.model.members else 0

    def training_member(self, cycle: datetime) -> int:
        """The member that training takes of a cycle, by the run's seed; 0 if single.

        Members are exchangeable, so one a cycle has their distribution, for a thirtieth of the
        files.
        """
        if not self.model.members:
            return 0
        return 1 + seed_for(self.run_seed, "driving", format_init(cycle)) % self.model.members

    def weights(self, forecast: DrivingForecast) -> list[tuple[DrivingForecast, float]]:
        """The forecasts of the archive that make one up, with weights: one, or two neighbours.

        Between two leads the forecast is linear in time. The nearest lead would be as much as half
        a step too early or late, and fronts and the diurnal cycle would jump every step. Both leads
        are of one cycle, published together.
        """
        step = self.model.step_hours
        before = forecast.lead // step * step
        share = (forecast.lead - before) / step
        found = [(DrivingForecast(forecast.cycle, forecast.member, before), 1.0 - share)]
        if share:
            after = DrivingForecast(forecast.cycle, forecast.member, before + step)
            found.append((after, share))
        return found

    def require_published(self, hour: DrivenHour) -> None:
        """Raise StormdrawError if the driving forecast had not been published at the initial time,
        or is of another time than the hour."""
        cycle, valid = hour.forecast.cycle, hour.forecast.valid
        published = cycle + hours(self.latency_hours)
        if published > hour.init:
            raise StormdrawError(
                f"{self.model.model} of {cycle:%Y-%m-%d %H} UTC was published at "
                f"{published:%Y-%m-%d %H} UTC and so must not drive a forecast from "
                f"{hour.init:%Y-%m-%d %H} UTC; take an older cycle, or correct "
                "archive.driving.latency_hours"
            )
        if valid != hour.valid:
            raise StormdrawError(
                f"{self.model.model} of {cycle:%Y-%m-%d %H} UTC + {hour.forecast.lead} h is valid "
                f"at {valid:%Y-%m-%d %H} UTC and so must not drive {hour.valid:%Y-%m-%d %H} UTC"
            )


@functools.lru_cache(maxsize=50_000)
def _newest_cycle(schedule: Schedule, init: datetime) -> datetime:
    model, every = schedule.model, schedule.model.cycle_hours
    latest = init - hours(schedule.latency_hours)
    midnight = latest.replace(hour=0)
    cycle = midnight + hours(latest.hour // every * every)
    end = init + hours(schedule.longest_lead)
    while init - cycle <= timedelta(hours=_OLDEST_HOURS):
        if _end_of(model, cycle) >= end:
            return cycle
        cycle -= hours(every)
    raise StormdrawError(
        f"archive.driving: no run of {model.model} that was published at {init:%Y-%m-%d %H} UTC is "
        f"long enough for a lead of {schedule.longest_lead} h; shorten leads, or choose another "
        "model"
    )


def _end_of(model: DrivingModel, cycle: datetime) -> datetime:
    """The last hour that a cycle has a forecast for."""
    return cycle + hours(model.longest_lead_of(cycle) // model.step_hours * model.step_hours)
