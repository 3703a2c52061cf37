"""Forecasts by others that systems use, and what they need from the archive.

Each `require` raises ValueError if they do not exist for every case and lead. Its message continues
after the name of a system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, Field

from stormdraw.archive.public import first_run
from stormdraw.errors import StormdrawError
from stormdraw.membership import (
    PRODUCT_VARIABLES,
    Need,
    members_at,
    product_variables,
    published_hours,
)
from stormdraw.times import hours
from stormdraw.variables import scored_variables

if TYPE_CHECKING:
    from stormdraw.settings import Settings

_Answer = TypeVar("_Answer")


def _each_age_once(ages: list[int]) -> list[int]:
    if len(set(ages)) != len(ages):
        raise ValueError(f"give each age of a run once: {ages}")
    return sorted(ages)


# Ages of runs of the base model as an ensemble: hours before the youngest one.
Ages = Annotated[
    list[Annotated[int, Field(ge=0, le=47)]], Field(min_length=2), AfterValidator(_each_age_once)
]
SIX_RUNS = [0, 1, 2, 3, 4, 5]


@dataclass(frozen=True)
class BaseForecast:
    """The base model's own forecast, from the run of the initial state.

    `called` is what a configuration calls it: `base_model`, or the model's own name.
    """

    called: str = "base_model"

    def need(self, run: Settings) -> Need:
        """One run."""
        return Need(run.archive.base_model.forecast_source, ages=(run.archive.analysis_lead,))

    def require(self, run: Settings) -> None:
        """It is of the run's base model, and reaches the longest lead."""
        base = run.archive.base_model
        if self.called not in ("base_model", base.name):
            raise ValueError(
                f"takes the forecast of {self.called}, and archive.model is {base.name}; write "
                f"base_model or {base.name} for {self.called}"
            )
        for init in run.cases_from(self.need(run).source):
            one = base.run(init, run.archive.analysis_lead)
            if not one.reaches(max(run.leads)):
                start = init - hours(one.age)
                length = (
                    f"the run of {start:%Y-%m-%d %H} UTC has {one.longest_lead} h"
                    if base.has_cycle(start)
                    else f"no run starts at {start:%Y-%m-%d %H} UTC"
                )
                raise ValueError(
                    f"takes {base.title}'s own forecast, but there is none of {max(run.leads)} h "
                    f"for the case at {init}: {length} ({base.lengths()}); take shorter leads or "
                    "other cases, or leave that system out"
                )


@dataclass(frozen=True)
class LaggedRuns:
    """Runs of the base model that started `ages` hours before the one of the initial state."""

    ages: tuple[int, ...]

    def need(self, run: Settings) -> Need:
        """Runs of which the archive may lack all but one.

        If a one-hour forecast replaces the analysis, all runs are one hour older.
        """
        ages = tuple(age + run.archive.analysis_lead for age in self.ages)
        return Need(run.archive.base_model.lagged_source, ages, members=1)

    def require(self, run: Settings) -> None:
        """At least two of them reach the longest lead."""
        base = run.archive.base_model
        for init in run.cases_from(self.need(run).source):
            runs = base.runs(init, self.need(run).ages)
            never = [one.age for one in runs if not base.has_cycle(init - hours(one.age))]
            if never:
                raise ValueError(
                    f"takes runs of {base.title} that started {', '.join(map(str, never))} h "
                    f"before the case at {init}, and there are none ({base.lengths()}); take "
                    "others of its `ages` or other cases, or leave that system out"
                )
            if sum(one.reaches(max(run.leads)) for one in runs) < 2:
                raise ValueError(
                    f"takes older runs of {base.title}, but fewer than two of them reach "
                    f"{max(run.leads)} h after the case at {init} ({base.lengths()}); take shorter "
                    "leads or others of its `ages`, multiples of 6 say, or leave that system out"
                )


@dataclass(frozen=True)
class ReferenceMembers:
    """The members of the reference ensemble; at least `minimum` are required."""

    minimum: int

    def need(self, run: Settings) -> Need:
        """The minimum number of members."""
        return Need(str(run.archive.reference), members=self.minimum)

    def require(self, run: Settings) -> None:
        """The minimum number of members reaches each lead, and the archive may have them."""
        name = _reference(run).upper()
        for init in run.cases_from(self.need(run).source):
            members = _ask_reference(members_at, run, init)
            for lead in run.leads:
                reaching = [one for one in members if one.reaches(lead)]
                if len(reaching) < self.minimum:
                    raise ValueError(
                        f"needs {self.minimum} members, and only {len(reaching)} of {name}'s "
                        f"members run as far as {lead} h after {init:%Y-%m-%d %H} UTC; take "
                        "shorter leads or lower minimum_members"
                    )
                lacking = [
                    one for one in reaching if not _is_held(run, one.model, init - hours(one.age))
                ]
                if len(reaching) - len(lacking) < self.minimum:
                    models = sorted({one.model for one in lacking})
                    raise ValueError(
                        f"needs {self.minimum} members, and {len(lacking)} of {name}'s "
                        f"{len(reaching)} at {init:%Y-%m-%d %H} UTC are of "
                        f"{' and '.join(models)}, which {_sources(run)} never had then; take later "
                        "cases, lower minimum_members, or set archive.source to a mirror that has "
                        "them"
                    )


class ReferenceProducts:
    """The published mean and spread of the reference ensemble, point by point."""

    def need(self, run: Settings) -> Need:
        """The files of both."""
        return Need(f"{run.archive.reference}_products")

    def require(self, run: Settings) -> None:
        """They hold a variable, reach the longest lead, and the archive may have them."""
        reference = _reference(run)
        if run.fields.coarsen > 1:
            raise ValueError(
                "is the reference's mean and spread, and fields.coarsen averages blocks: the "
                "spread of block means is smaller than the mean spread; set fields.coarsen to 1, "
                "or take the reference's members (kind: members)"
            )
        scored = scored_variables(run.variables)
        if not product_variables(run.variables):
            raise ValueError(
                f"is the reference's mean and spread, which hold {', '.join(PRODUCT_VARIABLES)} "
                f"but none of {', '.join(scored)}; leave that system out"
            )
        for init in run.cases_from(self.need(run).source):
            longest = _ask_reference(published_hours, run, init)
            if max(run.leads) > longest:
                raise ValueError(
                    f"is the reference's mean and spread, and {reference.upper()} published them "
                    f"to {longest} h at {init:%Y-%m-%d %H} UTC; take shorter leads or later cases, "
                    "or leave that system out"
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


def _ask_reference(
    ask: Callable[[str, datetime], _Answer], run: Settings, init: datetime
) -> _Answer:
    """A property of the reference ensemble at a case."""
    try:
        return ask(_reference(run), init)
    except StormdrawError as error:
        raise ValueError(
            f"is made of the reference ensemble, and {error}; change periods.test.start or "
            "cases.every_hours, or leave that system out"
        ) from None


def _is_held(run: Settings, model: str, start: datetime) -> bool:
    """Whether the archive may have a model's run; for public archives this is known."""
    if not isinstance(run.archive.source, list):
        return True
    first = first_run(model, run.archive.source)
    return first is not None and start >= first


def _sources(run: Settings) -> str:
    source = run.archive.source
    return ", ".join(source) if isinstance(source, list) else "the archive"
