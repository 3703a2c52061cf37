"""What several sections of a configuration must agree on; each function raises ValueError."""

import itertools
from typing import TYPE_CHECKING

from stormdraw.times import hours
from stormdraw.variables import variable

if TYPE_CHECKING:
    from stormdraw.settings import Settings


def require_hours_of_statistics(settings: "Settings") -> None:
    """A statistic over some hours needs leads of as many and more."""
    for name in settings.variables:
        hours_of_it = variable(name).shortest_lead
        if settings.leads[0] < hours_of_it:
            raise ValueError(
                f"variables: {name} is a statistic over {hours_of_it} h, which a forecast of "
                f"{settings.leads[0]} h does not have; give leads of {hours_of_it} h and longer"
            )


def require_hours_to_learn_from(settings: "Settings") -> None:
    """What learns needs a training period."""
    learning = settings.learning()
    if settings.periods.training is None and learning:
        raise ValueError(
            f"periods.training is missing, but {learning[0]} needs hours to learn from; give "
            "its start and end, or leave that out"
        )


def require_no_leakage(settings: "Settings") -> None:
    """Periods are at least the longest lead apart."""
    longest = max(settings.leads)
    for (name, period), (later_name, later) in itertools.pairwise(settings.periods.named()):
        if later.start - period.end < hours(longest):
            raise ValueError(
                f"periods.{name} ends {period.end} and periods.{later_name} starts "
                f"{later.start}: they must be at least the longest lead ({longest} h) "
                "apart, or the scores would see the training hours"
            )


def require_cases(settings: "Settings") -> None:
    """The test period holds a case, or there is a cycle to forecast from, but not both."""
    test = settings.periods.test
    if settings.cycle and settings.periods.named():
        raise ValueError("cycle is for forecasts, which have no periods; leave one of both out")
    if settings.cycle and settings.simulated:
        since = settings.archive.simulated.since
        history = settings.cases.history
        if since is None or min(settings.cycle) - hours(history - 1) < since:
            raise ValueError(
                f"archive.simulated.since is {since}, but the cycle {min(settings.cycle)} starts "
                f"from {history} hourly states of a world that begins then; give an earlier time"
            )
    if test is None and not settings.cycle:
        raise ValueError(
            "periods.test is missing; give its start and end or, for a forecast, "
            "--config cycle=latest"
        )
    if test is not None and not settings.initial_times():
        raise ValueError(
            f"periods.test ({test.start} to {test.end}) is shorter than the longest lead "
            f"({max(settings.leads)} h): no case fits"
        )


def require_systems(settings: "Settings") -> None:
    """Each system can be made in this run."""
    for index, system in enumerate(settings.ensembles.given()):
        try:
            system.check(settings)
        except ValueError as error:
            raise ValueError(f"ensembles.systems.{index}: {system.name} {error}") from None


def require_named_systems(settings: "Settings") -> None:
    """The reference and the system of the products are systems that can be these."""
    names = [system.name for system in settings.ensembles.systems]
    reference, named = settings.scores.reference, settings.report.products_of
    for key, name in (("scores.reference", reference), ("report.products_of", named)):
        if name is not None and name not in names:
            raise ValueError(f"{key} is {name!r}, which is not a system: {', '.join(names)}")
    if reference is not None:
        raw = settings.ensembles.system(reference).made_from
        if raw is not None:
            raise ValueError(
                f"scores.reference is {reference!r}, which is made from {raw}; name {raw} or "
                "another system that is scored as it is"
            )
    if named is not None and not settings.ensembles.system(named).has_members:
        raise ValueError(
            f"report.products_of is {named!r}, which has only a mean and spread; name a system "
            "with members"
        )
    if named is not None and settings.ensembles.system(named).role == "baseline":
        raise ValueError(
            f"report.products_of is {named!r}, which is a baseline; name a system whose forecasts "
            "are worth publishing"
        )


def require_first_leads(settings: "Settings") -> None:
    """The hours of a forecast can be drawn in these stretches."""
    first, leads = settings.forecast.first_leads, settings.leads
    if not first:
        return
    if first != sorted(set(first)) or not set(first) <= set(leads[:-1]):
        raise ValueError(
            f"forecast.first_leads is {first}; give leads of the run before the last one, which is "
            f"{leads[-1]} h, each once and ascending: of {leads[:-1]}"
        )
    jobs = settings.ensembles.jobs_per_case
    if jobs > 1:
        raise ValueError(
            f"forecast.first_leads shares the hours of a forecast among jobs, and "
            f"ensembles.jobs_per_case: {jobs} its members; leave one of both out"
        )
