"""Members in files of others, put on the target grid."""

import logging
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.system import CaseToMake
from stormdraw.external.reading import ExternalForecast, open_forecast
from stormdraw.external.settings import ExternalFiles
from stormdraw.fields.quality import Finding, write_findings
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import read_together
from stormdraw.times import hours

logger = logging.getLogger(__name__)


def write_others(
    made: CaseToMake, files: ExternalFiles, start: datetime, older: int, count: int
) -> None:
    """Write the first `count` members, (member, lead, y, x), of the run from `start`.

    That is `older` hours before the case, and has as much longer leads. What is not there is
    missing: a member, a lead or a variable. The attribute `absent_members` names members without
    anything, `missing_variables` variables that no member has at any lead, and `missing` says why
    there is nothing at all.

    Raises StormdrawError for files that cannot be right, as `open_forecast` does.
    """
    case, target = made.case, Target.of_file(made.grid, made.run.fields)
    leads = [lead + older for lead in case.leads]
    findings: list[Finding] = []
    notes: dict[str, str] = {}
    with open_forecast(files, case.system, start, case.variables, leads) as forecast:
        members = numbers(forecast.members, count)
        there = np.zeros((len(members), len(case.variables), len(leads)), bool)
        to = (made.output, target.grid, case, members, made.settings, notes)
        with ensemble_file(*to) as put:
            for k, j in np.ndindex(len(members), len(leads)):
                checks = Checks(
                    start + hours(leads[j]), made.run.fields.suspicious, str(members[k])
                )
                read = _read(forecast, case.variables, members[k], leads[j])
                placed, found = target.place(read, checks)
                state = np.full((len(case.variables), *target.grid.shape), np.nan, np.float32)
                for v, name in enumerate(case.variables):
                    if name in placed:
                        state[v] = placed[name]
                there[k, :, j] = np.isfinite(state).any(axis=(1, 2))
                findings += found
                put(k, j, state)
            notes |= _gaps(
                there,
                case.variables,
                members,
                f"its files have nothing of the run of {start:%Y-%m-%d %H} UTC",
            )
    if len(forecast.members) > count:
        logger.warning("%d of %d members are taken", count, len(forecast.members))
    for what, said in notes.items():
        if said != "none":
            logger.warning("%s: %s", what, said)
    write_findings(findings, made.quality)


def numbers(found: Sequence[int], count: int) -> list[int]:
    """The first `count` members of those that were found, filled up with numbers of absent ones."""
    members = list(found[:count])
    others = (number for number in range(count + len(members)) if number not in members)
    return sorted([*members, *(next(others) for _ in range(count - len(members)))])


def _read(
    forecast: ExternalForecast, names: Sequence[str], member: int, lead: int
) -> list[SourceField]:
    """The variables that are there, without a component of a vector that lacks the other."""
    read: list[SourceField] = []
    if forecast.grid is None or member not in forecast.members:
        return read
    for group in read_together(names):
        fields = {name: forecast.field(name, member, lead) for name in group}
        read += [
            SourceField(
                name,
                values,
                forecast.grid,
                forecast.origin(name, member, lead),
                forecast.grid_relative_winds,
            )
            for name, values in fields.items()
            if values is not None and not any(other is None for other in fields.values())
        ]
    return read


def _gaps(
    there: np.ndarray, names: Sequence[str], members: Sequence[int], nothing: str
) -> dict[str, str]:
    """What is said of what is not `there` (member, variable, lead)."""
    if not there.any():
        return {"missing": nothing}
    absent = [str(member) for member, own in zip(members, there, strict=True) if not own.any()]
    lacking = [name for v, name in enumerate(names) if not there[:, v].any()]
    return {
        "absent_members": " ".join(absent) or "none",
        "missing_variables": " ".join(lacking) or "none",
    }
