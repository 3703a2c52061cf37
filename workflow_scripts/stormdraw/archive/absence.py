"""What is done about files of which nothing is usable: `archive.missing` in the configuration."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from stormdraw.archive.manifest import OK, ManifestRow
from stormdraw.archive.wanted import MAY_LACK_FILES, FileRequest, is_members, minimum_members
from stormdraw.errors import StormdrawError
from stormdraw.membership import members_at
from stormdraw.settings import Settings
from stormdraw.times import format_date, hours

logger = logging.getLogger(__name__)

# HRRR's forecasts of a few hours are worth more than none; older ones are not an analysis.
OLDEST_RUN_HOURS = 6

# A field that never changes may be had of any of these hours.
_HOURS_OF_A_DAY = 24


def may_be_absent(settings: Settings, source: str) -> bool:
    """Whether a day of a source may lack a file. Enough members are another question."""
    return source in MAY_LACK_FILES or (settings.archive.missing != "fail" and source != "static")


def alternatives(settings: Settings, source: str, file: FileRequest) -> Iterator[FileRequest]:
    """Files that may be taken for an absent one, the best first."""
    if settings.archive.missing == "older_run" and source == "hrrr":
        for hour in range(1, OLDEST_RUN_HOURS + 1):
            yield replace(file, init=file.init - hours(hour), lead=file.lead + hour)
    if settings.archive.missing != "fail" and source == "static":
        for hour in range(1, _HOURS_OF_A_DAY):
            yield replace(file, init=file.init + hours(hour))


def require_members(
    settings: Settings, source: str, date: str, rows: Sequence[ManifestRow]
) -> None:
    """Raises StormdrawError if a variable has fewer members than `minimum_members` at some lead.

    Unless `archive.missing` allows it: then that lead of the case is left out of all scores.
    """
    if not is_members(source):
        return
    minimum = minimum_members(settings)
    there = {(row.variable, row.member, row.init, row.lead) for row in rows if row.status == OK}
    for cycle in settings.initial_times():
        if format_date(cycle) != date:
            continue
        for lead in settings.leads:
            members = [member for member in members_at(source, cycle) if member.reaches(lead)]
            # Variables that the same members lack are told together.
            without: dict[tuple[str, ...], list[str]] = {}
            for name in settings.variables:
                absent = tuple(
                    member.name
                    for member in members
                    if (name, member.name, cycle - hours(member.age), member.own_lead(lead))
                    not in there
                )
                if len(members) - len(absent) < minimum:
                    without.setdefault(absent, []).append(name)
            for absent, names in without.items():
                all_of_them = len(names) == len(settings.variables)
                are_there = "are there" if all_of_them else f"have {', '.join(names)}"
                _complain(
                    settings,
                    f"{source.upper()} of {cycle:%Y-%m-%d %H} UTC + {lead} h: "
                    f"{len(members) - len(absent)} of {len(members)} members {are_there} and "
                    f"minimum_members is {minimum}; absent: {', '.join(absent)}",
                )


def _complain(settings: Settings, complaint: str) -> None:
    if settings.archive.missing == "fail":
        raise StormdrawError(
            f"{complaint}; use a mirror that has them, lower minimum_members, set "
            "archive.missing to skip, or take the system of kind products"
        )
    logger.warning("%s; no system is scored there", complaint)
