"""Whether the forecasts of others that systems are made of are there for every case and lead.

Each function raises ValueError if not. Its message goes on where the name of a system stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from stormdraw.archive.public import first_run
from stormdraw.errors import StormdrawError
from stormdraw.membership import (
    PRODUCT_VARIABLES,
    hrrr_run,
    lagged_runs,
    members_at,
    published_hours,
)
from stormdraw.times import hours
from stormdraw.variables import scored_variables

if TYPE_CHECKING:
    from stormdraw.settings import Settings

_Answer = TypeVar("_Answer")

_HRRR_RUNS = (
    "HRRR runs 48 h from 00, 06, 12 and 18 UTC (36 h before 2020-12-02) and 18 h from other hours; "
    "before 2018-07-12 it ran 18 h from every hour, before 2016-08-23 15 h"
)


def require_hrrr(run: Settings) -> None:
    """HRRR's own forecast, from the run that the initial state is of."""
    for init in run.initial_times():
        one = hrrr_run(init, run.archive.analysis_lead)
        if not one.reaches(max(run.leads)):
            start = init - hours(one.age)
            raise ValueError(
                f"takes HRRR's own forecast, and there is none of {max(run.leads)} h for the case "
                f"at {init}: the run of {start:%Y-%m-%d %H} UTC has {one.longest_lead} h "
                f"({_HRRR_RUNS}); take shorter leads or other cases, or leave that system out"
            )


def require_lagged(run: Settings, ages: Sequence[int]) -> None:
    """Two HRRR runs of these ages in hours at least."""
    for init in run.initial_times():
        runs = lagged_runs(init, ages)
        if sum(one.reaches(max(run.leads)) for one in runs) < 2:
            raise ValueError(
                f"takes older runs of HRRR, and fewer than two of them reach {max(run.leads)} h "
                f"after the case at {init} ({_HRRR_RUNS}); take shorter leads or others of its "
                "`ages`, multiples of 6 say, or leave that system out"
            )


def require_members(run: Settings, minimum: int) -> None:
    """So many members of the reference ensemble."""
    name = _reference(run).upper()
    for init in run.initial_times():
        members = _told(members_at, run, init)
        for lead in run.leads:
            reaching = [one for one in members if one.reaches(lead)]
            if len(reaching) < minimum:
                raise ValueError(
                    f"needs {minimum} members, and only {len(reaching)} of {name}'s members run as "
                    f"far as {lead} h after {init:%Y-%m-%d %H} UTC; take shorter leads or lower "
                    "minimum_members"
                )
            lacking = [
                one for one in reaching if not _is_held(run, one.model, init - hours(one.age))
            ]
            if len(reaching) - len(lacking) < minimum:
                models = sorted({one.model for one in lacking})
                raise ValueError(
                    f"needs {minimum} members, and {len(lacking)} of {name}'s {len(reaching)} at "
                    f"{init:%Y-%m-%d %H} UTC are of {' and '.join(models)}, which "
                    f"{_sources(run)} never had then; take later cases, lower minimum_members, or "
                    "set archive.source to a mirror that has them"
                )


def require_products(run: Settings) -> None:
    """The reference ensemble's mean and spread, point by point."""
    reference = _reference(run)
    if run.fields.coarsen > 1:
        raise ValueError(
            "is the reference's mean and spread, and fields.coarsen averages blocks: the spread of "
            "block means is smaller than the mean spread; set fields.coarsen to 1, or take the "
            "reference's members (kind: members)"
        )
    scored = scored_variables(run.variables)
    if not set(scored) & set(PRODUCT_VARIABLES):
        raise ValueError(
            f"is the reference's mean and spread, which hold {', '.join(PRODUCT_VARIABLES)} but "
            f"none of {', '.join(scored)}; leave that system out"
        )
    for init in run.initial_times():
        longest = _told(published_hours, run, init)
        if max(run.leads) > longest:
            raise ValueError(
                f"is the reference's mean and spread, and {reference.upper()} published them to "
                f"{longest} h at {init:%Y-%m-%d %H} UTC; take shorter leads or later cases, or "
                "leave that system out"
            )
        if not _is_held(run, reference, init):
            raise ValueError(
                f"is the reference's mean and spread, and {_sources(run)} never had "
                f"{reference.upper()}'s of {init:%Y-%m-%d %H} UTC; take later cases, or set "
                "archive.source to a mirror that has them"
            )


def _reference(run: Settings) -> str:
    if run.archive.reference is None:
        raise ValueError(
            "is made of the reference ensemble, but archive.reference is not set; set it to href "
            "or refs, or leave that system out"
        )
    return run.archive.reference


def _told(ask: Callable[[str, datetime], _Answer], run: Settings, init: datetime) -> _Answer:
    """What is said of the reference ensemble at a case."""
    try:
        return ask(_reference(run), init)
    except StormdrawError as error:
        raise ValueError(
            f"is made of the reference ensemble, and {error}; change periods.test.start or "
            "cases.every_hours, or leave that system out"
        ) from None


def _is_held(run: Settings, model: str, start: datetime) -> bool:
    """Whether the run of a model may be in the archive: of the public ones it is known."""
    if not isinstance(run.archive.source, list):
        return True
    first = first_run(model, run.archive.source)
    return first is not None and start >= first


def _sources(run: Settings) -> str:
    source = run.archive.source
    return ", ".join(source) if isinstance(source, list) else "the archive"
