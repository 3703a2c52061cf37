"""Which files of an archive a run needs, day by day.

A *source* is one of: the name of the base model, as `hrrr` (the analyses of all periods); `static`
(fields that never change); `truth` (what forecasts are compared with, if that is not the analyses);
`hrrr_forecast` (the base model's own forecasts of the cases); `hrrr_lagged` (its runs of the cases
and of some hours before them); `href` or `refs` (a reference ensemble's member files); and
`href_products` or `refs_products` (its published mean and spread).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from stormdraw.archive.base_model import base_model, base_model_names
from stormdraw.archive.driving_needs import driving_variables
from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.request import FileRequest, by_lead
from stormdraw.errors import StormdrawError
from stormdraw.membership import Member, members_at, product_variables
from stormdraw.messages import Statistic
from stormdraw.settings import Settings
from stormdraw.times import hours

_MEMBERS = ("href", "refs")
_PUBLISHED = ("href_products", "refs_products")

_PRODUCTS: tuple[tuple[str, Statistic], ...] = (("mean", "mean"), ("sprd", "spread"))


def dates(settings: Settings, source: str) -> list[str]:
    """The days (YYYYMMDD) of a source that a run needs, in order.

    Raises StormdrawError for an unknown source.
    """
    return sorted(requests_by_date(settings, source))


def requests(settings: Settings, source: str, date: str) -> list[FileRequest]:
    """The files of one day of a source, as in `requests_by_date`."""
    return requests_by_date(settings, source).get(date, [])


def requests_by_date(settings: Settings, source: str) -> dict[str, list[FileRequest]]:
    """The files of a source, by day, in a forecast by hour.

    The day of an analysis is that of its run (also for hourly sums, whose run is an earlier one),
    that of the truth is of its valid time, that of a driving forecast is of its cycle, and that of
    any other forecast is of its case. Raises StormdrawError for an unknown source.
    """
    by_date: dict[str, list[FileRequest]] = {}
    for date, request in _all_requests(settings, source):
        by_date.setdefault(date, []).append(request)
    return by_date


def sources_of(settings: Settings) -> tuple[str, ...]:
    """All sources that there can be with the base model of a run."""
    return (settings.archive.model, "static", "truth", "driving", *case_sources(settings))


def case_sources(settings: Settings) -> tuple[str, ...]:
    """Those of them that are forecasts of cases."""
    base = settings.archive.base_model
    return (base.forecast_source, base.lagged_source, *_MEMBERS, *_PUBLISHED)


def has_members(settings: Settings, source: str) -> bool:
    """Whether a source is an ensemble of single members: a reference, or lagged runs.

    Without a file there is one member fewer.
    """
    return source in (settings.archive.base_model.lagged_source, *_MEMBERS)


def used_sources(settings: Settings) -> list[str]:
    """The sources that a run uses: the analyses, the truth, and what its systems need."""
    needed = {need.source for need in settings.needs()}
    own = {settings.archive.model, "static", "truth", "driving"}
    return [source for source in sources_of(settings) if source in own | needed]


def minimum_members(settings: Settings, source: str) -> dict[tuple[int, ...], int]:
    """The minimum number of members, by the strictest system that uses them.

    Keys are the ages in hours of lagged runs, or () for a reference ensemble. Empty for other
    sources.
    """
    strictest: dict[tuple[int, ...], int] = {}
    for need in settings.needs(source):
        if need.members:
            strictest[need.ages] = max(need.members, strictest.get(need.ages, 0))
    return strictest


def _all_requests(settings: Settings, source: str) -> Iterator[tuple[str, FileRequest]]:
    """Every (day, file) of a source."""
    base = settings.archive.base_model
    if source == base.name:
        yield from _analyses(settings)
    elif source == "static":
        yield from _static(settings)
    elif source == "truth":
        yield from _truth(settings)
    elif source == "driving":
        yield from _driving(settings)
    elif source in (base.forecast_source, base.lagged_source):
        yield from _runs(settings, source)
    elif source in _MEMBERS:
        yield from _members(settings, source)
    elif source in _PUBLISHED:
        yield from _products(settings, source)
    else:
        known = ", ".join(sources_of(settings))
        raise StormdrawError(f"unknown source {source!r}: known ones are {known}")


def _analyses(settings: Settings) -> Iterator[tuple[str, FileRequest]]:
    for time in settings.analysis_times():
        start, _ = settings.archive.state_run(time)
        for request in _states(settings, time, settings.roles.every):
            yield settings.folder_of(start), request


def _truth(settings: Settings) -> Iterator[tuple[str, FileRequest]]:
    """The files of all truths by their valid day; none for what the analyses are the truth of."""
    truths = {name: settings.archive.truth_of(name) for name in settings.variables}
    by_name = {own.name: own for own in truths.values()}
    for valid in settings.compared_times():
        excluded = valid in settings.archive.exclude
        for own in by_name.values():
            names = tuple(name for name, one in truths.items() if one.name == own.name)
            for file in own.files(settings.archive, names, valid):
                yield settings.folder_of(valid), replace(file, excluded=excluded)


def _driving(settings: Settings) -> Iterator[tuple[str, FileRequest]]:
    """The files of the driving model by the day of their cycle; none without one."""
    driving = settings.archive.driving
    if driving is None:
        return
    model = driving_model(driving.model)
    by_product = model.by_product(driving_variables(settings))
    for one in settings.driving_forecasts():
        for product, names in by_product.items():
            yield (
                settings.folder_of(one.cycle),
                FileRequest(
                    model=model.model,
                    product=product,
                    options=model.options(one.member),
                    init=one.cycle,
                    lead=one.lead,
                    member=model.member_name(one.member),
                    variables=names,
                    whole=True,
                ),
            )


def _static(settings: Settings) -> Iterator[tuple[str, FileRequest]]:
    if not settings.static_fields:
        return
    # Any hour will do, except excluded ones; a forecast has its own.
    times = settings.periods.training_times() or settings.analysis_times()
    first = next((time for time in times if time not in settings.archive.exclude), times[0])
    for time in settings.cycle or [first]:
        for request in _states(settings, time, settings.static_fields):
            yield settings.folder_of(request.init), replace(request, excluded=False)


def _states(settings: Settings, valid: datetime, names: Sequence[str]) -> Iterator[FileRequest]:
    """The files of the base model that count as the analysis at a valid time.

    An hourly sum or maximum is that of the hour before, so it comes from a run that had started
    then.
    """
    base = settings.archive.base_model
    by_run: dict[tuple[datetime, int], tuple[str, ...]] = {}
    for least, having in by_lead(names, settings.archive.analysis_lead).items():
        run = settings.archive.state_run(valid, least)
        by_run[run] = by_run.get(run, ()) + having
    excluded = valid in settings.archive.exclude
    for (init, lead), variables in by_run.items():
        for product, held in base.by_product(variables).items():
            file = FileRequest(base.name, product, base.options, init, lead, "", held)
            yield replace(file, whole=True, excluded=excluded)


def _runs(settings: Settings, source: str) -> Iterator[tuple[str, FileRequest]]:
    """The base model's runs for each case, at the leads that each reaches."""
    for case in settings.cases_from(source):
        for run in settings.archive.base_model.runs(case, settings.ages(source)):
            for lead in filter(run.reaches, settings.leads):
                for file in _of_member(settings, run, case, lead):
                    yield settings.folder_of(case), file


def _of_member(
    settings: Settings, member: Member, case: datetime, lead: int
) -> Iterator[FileRequest]:
    """The files of a member that are valid `lead` hours after a case.

    A run of a base model has several products; other members have one.
    """
    names = tuple(settings.variables)
    held = {member.product: names}
    if member.model in base_model_names():
        model = base_model(member.model)
        if member.product == model.product("sfc"):
            held = model.by_product(names)
    for product, variables in held.items():
        yield FileRequest(
            model=member.model,
            product=product,
            options=member.options,
            init=case - hours(member.age),
            lead=member.own_lead(lead),
            member=member.name,
            variables=variables,
        )


def _members(settings: Settings, source: str) -> Iterator[tuple[str, FileRequest]]:
    if settings.archive.reference != source:
        return
    for cycle in settings.cases_from(source):
        members = members_at(source, cycle)
        for lead in settings.leads:
            for member in members:
                if member.reaches(lead):
                    for file in _of_member(settings, member, cycle, lead):
                        yield settings.folder_of(cycle), file


def _products(settings: Settings, source: str) -> Iterator[tuple[str, FileRequest]]:
    model = source.removesuffix("_products")
    if settings.archive.reference != model:
        return
    variables = tuple(product_variables(settings.variables))
    for cycle in settings.cases_from(source):
        for lead in settings.leads:
            for product, statistic in _PRODUCTS:
                yield (
                    settings.folder_of(cycle),
                    FileRequest(
                        model=model,
                        product=product,
                        options=(("domain", "conus"),),
                        init=cycle,
                        lead=lead,
                        member="",
                        variables=variables,
                        statistic=statistic,
                    ),
                )
