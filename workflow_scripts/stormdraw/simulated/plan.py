"""What the simulated archive must hold for a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stormdraw.membership import Member, members_at
from stormdraw.settings import Settings
from stormdraw.simulated import SIMULATED_ON_REQUEST
from stormdraw.times import format_date, hourly, hours
from stormdraw.variables import variable


@dataclass(frozen=True)
class Run:
    """One forecast by the base model or a model of a reference ensemble; `leads` in hours."""

    member: Member
    init: datetime
    leads: tuple[int, ...]

    @property
    def model(self) -> str:
        return model_name(self.member)


@dataclass(frozen=True)
class Plan:
    """When the world starts, and its analyses, cases and forecasts.

    `products` says whether a reference ensemble publishes its mean and spread; `driving` are the
    forecasts of the larger-scale model, (cycle, lead in hours), by their valid time. `mosaics` are
    the hours of the radar mosaic. `further` are the variables of `SIMULATED_ON_REQUEST` that files
    hold as well. `station_days` (YYYYMMDD) are those of which stations report.
    """

    start: datetime
    analyses: tuple[datetime, ...]
    cases: tuple[datetime, ...]
    leads: tuple[int, ...]
    runs: tuple[Run, ...]
    products: bool
    driving: Mapping[datetime, Sequence[tuple[datetime, int]]]
    mosaics: frozenset[datetime] = frozenset()
    further: tuple[str, ...] = ()
    station_days: tuple[str, ...] = ()

    @property
    def end(self) -> datetime:
        """The last hour of the world."""
        return self.analyses[-1]

    @property
    def run_starts(self) -> frozenset[datetime]:
        """The initial times of the forecasts."""
        return frozenset(run.init for run in self.runs)


def model_name(member: Member) -> str:
    """The member's name without its age, e.g. nam_nest."""
    return member.name.removesuffix(f"_{member.age:02d}h")


def plan_archive(settings: Settings) -> Plan:
    """The plan for a configuration."""
    first, last = extent(settings)
    cases = tuple(settings.compared_cases())
    leads = tuple(settings.leads)
    reference = settings.archive.reference
    forecasting = {
        case: [
            *([] if reference is None else members_at(reference, case)),
            *settings.archive.base_model.runs(case, settings.ages()),
        ]
        for case in cases
    }
    runs = _runs(forecasting, leads)
    further = tuple(name for name in settings.roles.every if name in SIMULATED_ON_REQUEST)
    # The first analysis of a sum over hours needs these.
    summed = max((variable(name).shortest_lead for name in further), default=0)
    start = first - hours(max(settings.archive.simulated.spin_up_hours, summed))
    return Plan(
        start=min([start, *(run.init for run in runs)]),
        analyses=tuple(hourly(first, last)),
        cases=cases,
        leads=leads,
        runs=runs,
        products=reference is not None,
        driving=_driving(settings),
        mosaics=_mosaics(settings),
        further=further,
        station_days=_station_days(settings),
    )


def extent(settings: Settings) -> tuple[datetime, datetime]:
    """The first and last analysis.

    A forecast's world begins when that of its study does, and goes on until the longest lead from
    now, where the clock says what time it is: another cycle then changes nothing of it.
    """
    simulated, periods = settings.archive.simulated, settings.periods.named()
    if settings.cycle and simulated.since is not None:
        last = simulated.now or max(settings.cycle)
        return simulated.since, last + hours(max(settings.leads))
    return periods[0][1].start, max(period.end for _, period in periods)


def _mosaics(settings: Settings) -> frozenset[datetime]:
    """The hours that reflectivity is compared with radars at."""
    by_radar = any(settings.archive.truth_of(name).codes for name in settings.variables)
    return frozenset(settings.compared_times() if by_radar else [])


def _station_days(settings: Settings) -> tuple[str, ...]:
    if settings.archive.stations is None:
        return ()
    return tuple(sorted({format_date(time) for time in settings.compared_times()}))


def _driving(settings: Settings) -> dict[datetime, list[tuple[datetime, int]]]:
    by_valid_time: dict[datetime, list[tuple[datetime, int]]] = {}
    for one in settings.driving_forecasts():
        by_valid_time.setdefault(one.valid, []).append((one.cycle, one.lead))
    return by_valid_time


def _runs(
    forecasting: Mapping[datetime, Sequence[Member]], leads: tuple[int, ...]
) -> tuple[Run, ...]:
    """Every run of which some case has a member, in order of initial times."""
    wanted: dict[tuple[datetime, str], tuple[Member, set[int]]] = {}
    for case, members in forecasting.items():
        for member in members:
            key = (case - hours(member.age), model_name(member))
            _, own_leads = wanted.setdefault(key, (member, set()))
            own_leads |= {member.own_lead(lead) for lead in leads if member.reaches(lead)}
    return tuple(
        Run(member, init, tuple(sorted(own_leads)))
        for (init, _), (member, own_leads) in sorted(wanted.items(), key=lambda item: item[0])
        if own_leads
    )
