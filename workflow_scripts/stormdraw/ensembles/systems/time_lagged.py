"""Members of one of our own systems, from its newest run and from older ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from stormdraw.ensembles.reach import Ages
from stormdraw.ensembles.system import AnySystem, CaseToMake, Members, WithoutModel
from stormdraw.section import Name
from stormdraw.times import hours

if TYPE_CHECKING:
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class TimeLaggedSystem(WithoutModel):
    """Members of the system `of`, from its runs that started `ages` hours before a case.

    All are valid at the same times. `members` are shared evenly among the runs, of which newer ones
    give one more where they do not divide; without it there are as many as that system has. A run
    has no members at leads that it does not reach: it is drawn for the leads of the configuration,
    as every run is.
    """

    method: Literal["time_lagged"]
    of: Name
    ages: Ages
    members: Members | None = None
    bytes_a_value = 2

    @property
    def made_from(self) -> str:
        """The system whose runs these are."""
        return self.of

    def made_at(self, init: datetime) -> Sequence[datetime]:
        """The initial times of its runs, the newest first."""
        return [init - hours(age) for age in self.ages]

    def members_by_run(self, run: Settings) -> list[int]:
        """The number of members from each run, the newest first."""
        total = self._source(run).most_members(run) if self.members is None else self.members
        each, more = divmod(total, len(self.ages))
        return [each + (place < more) for place in range(len(self.ages))]

    def variables(self, run: Settings, models: Models) -> list[str]:
        """The variables of the system whose runs these are."""
        return self._source(run).variables(run, models)

    def most_members(self, run: Settings) -> int:
        """Those of all runs."""
        return sum(self.members_by_run(run))

    def most_drawn(self, run: Settings, models: Models) -> int:
        """Those of all runs; a deterministic model gives one to each."""
        drawn = self._source(run).most_drawn(run, models)
        return sum(min(count, drawn) for count in self.members_by_run(run))

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The system whose runs these are, what that depends on, and the members of each run."""
        source = self._source(run)
        of = source.model_dump(mode="json") | source.depends_on(run)
        return {"of": of, "members_by_run": self.members_by_run(run)}

    def caveat(self, run: Settings) -> str:
        """Which runs its members are of, and where they lack."""
        counts = zip(self.members_by_run(run), self.ages, strict=True)
        of = ", ".join(
            f"{count} of the run {age} h before its cases" if age else f"{count} of the newest run"
            for count, age in counts
        )
        short = {age: self._lacking(run, age) for age in self.ages}
        lacking = [
            f"{', '.join(map(str, leads))} h (run {age} h before)"
            for age, leads in short.items()
            if leads
        ]
        return (
            f"{self.name} has members of {self.of}: {of}. Older runs end earlier and are missing "
            f"at leads of {'; '.join(lacking)}."
        )

    def check(self, run: Settings) -> None:
        """Also checks that there are such runs, and that each reaches a lead."""
        super().check(run)
        names = [system.name for system in run.ensembles.systems]
        if self.of not in names:
            raise ValueError(
                f"takes runs of {self.of!r}, which is not a system: {', '.join(names)}"
            )
        source = self._source(run)
        if not source.by_model:
            raise ValueError(
                f"takes older runs of {self.of}, which no model takes from hour to hour; set `of` "
                "to a system that one does"
            )
        if self.ages[0] != 0:
            raise ValueError(
                f"takes runs of {self.of} of ages {self.ages}, none of which reaches the last "
                "lead; give the age 0 too"
            )
        for age in self.ages:
            if self._lacking(run, age) == list(run.leads):
                raise ValueError(
                    f"takes the run of {self.of} that is {age} h old, but that is drawn for leads "
                    f"of {', '.join(map(str, run.leads))} h, none of which is {age} h after "
                    "another one; add such leads, or take that age out of `ages`"
                )
        self._require_members(run, source.most_members(run))

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x), the first ones of each run, the newest run first."""
        from stormdraw.ensembles.time_lagging import write_time_lagged

        write_time_lagged(made, self.ages, self.members_by_run(made.run))

    def _source(self, run: Settings) -> AnySystem:
        return run.ensembles.system(self.of)

    def _lacking(self, run: Settings, age: int) -> list[int]:
        """The leads that a run of this age does not have: it is drawn for the run's leads."""
        return [lead for lead in run.leads if lead + age not in run.leads]

    def _require_members(self, run: Settings, available: int) -> None:
        wanted = self.members_by_run(run)
        if wanted[-1] < 1:
            raise ValueError(
                f"has only {sum(wanted)} members to take from {len(wanted)} runs of {self.of}; "
                "raise `members`, or take fewer `ages`"
            )
        if wanted[0] > available:
            raise ValueError(
                f"takes {wanted[0]} members of a run of {self.of}, which has {available}; set "
                f"`members` to at most {available * len(wanted)}"
            )


SYSTEM = TimeLaggedSystem
