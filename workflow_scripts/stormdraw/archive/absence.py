"""What happens if nothing in a file is usable: `archive.missing` in the configuration."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from stormdraw.archive.manifest import OK, ManifestRow
from stormdraw.archive.request import FileRequest
from stormdraw.archive.wanted import has_members, minimum_members
from stormdraw.errors import StormdrawError
from stormdraw.membership import Member, members_at
from stormdraw.settings import Settings
from stormdraw.times import hours

logger = logging.getLogger(__name__)

# Short forecasts are better than nothing; longer ones cannot stand for an analysis.
OLDEST_RUN_HOURS = 6

# A field that never changes may come from any of these hours.
_HOURS_OF_A_DAY = 24


def may_be_absent(settings: Settings, source: str) -> bool:
    """Whether a day of a source may lack a file; `require_members` checks the number of members."""
    return has_members(settings, source) or (
        settings.archive.missing != "fail" and source != "static"
    )


def alternatives(settings: Settings, source: str, file: FileRequest) -> Iterator[FileRequest]:
    """Files that can replace an absent one, the best first."""
    step = settings.archive.base_model.cycle_hours
    if settings.archive.missing == "older_run" and source == settings.archive.model:
        for hour in range(step, OLDEST_RUN_HOURS + 1, step):
            yield replace(file, init=file.init - hours(hour), lead=file.lead + hour)
    if settings.archive.missing != "fail" and source == "static":
        for hour in range(step, _HOURS_OF_A_DAY, step):
            yield replace(file, init=file.init + hours(hour))


def require_members(
    settings: Settings, source: str, date: str, rows: Sequence[ManifestRow]
) -> None:
    """Raise StormdrawError if a variable has fewer members at some lead than a system needs.

    A reference ensemble needs `minimum_members`, lagged runs need one. If `archive.missing`
    allows fewer, that lead of the case is left out of all scores instead.
    """
    present = {(row.variable, row.member, row.init, row.lead) for row in rows if row.status == OK}
    for cycle in settings.cases_from(source):
        if settings.folder_of(cycle) != date:
            continue
        for ages, minimum in minimum_members(settings, source).items():
            lagged = settings.archive.base_model.runs(cycle, ages)
            members = lagged if ages else members_at(source, cycle)
            for lead in settings.leads:
                reaching = [member for member in members if member.reaches(lead)]
                _require(settings, source, cycle, lead, reaching, minimum, present)


def _require(
    settings: Settings,
    source: str,
    cycle: datetime,
    lead: int,
    members: Sequence[Member],
    minimum: int,
    present: Collection[tuple[str, str, datetime, int]],
) -> None:
    # Variables that the same members lack share one message.
    without: dict[tuple[str, ...], list[str]] = {}
    for name in settings.variables:
        absent = tuple(
            member.name
            for member in members
            if (name, member.name, cycle - hours(member.age), member.own_lead(lead)) not in present
        )
        if len(members) - len(absent) < minimum:
            without.setdefault(absent, []).append(name)
    lagged = source == settings.archive.base_model.lagged_source
    needed = "one is needed" if lagged else f"minimum_members is {minimum}"
    for absent, names in without.items():
        all_variables = len(names) == len(settings.variables)
        present_members = "are there" if all_variables else f"have {', '.join(names)}"
        complaint = (
            f"{source.upper()} of {cycle:%Y-%m-%d %H} UTC + {lead} h: "
            f"{len(members) - len(absent)} of {len(members)} members {present_members} and "
            f"{needed}; "
            f"absent: {', '.join(absent)}"
        )
        if settings.archive.missing == "fail":
            otherwise = (
                "or remove the system that uses them"
                if lagged
                else "lower minimum_members, or use a system of kind products"
            )
            raise StormdrawError(
                f"{complaint}; use a mirror that has them, set archive.missing to skip, {otherwise}"
            )
        logger.warning("%s; no system is scored there", complaint)
