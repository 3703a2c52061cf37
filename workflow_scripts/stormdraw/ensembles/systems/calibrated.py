"""Another system's members, calibrated to distributions that were fitted on validation cases."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from stormdraw.ensembles.system import AnySystem, CaseToMake, Role, WithoutModel
from stormdraw.section import Name
from stormdraw.variables import ScoredName, variable

if TYPE_CHECKING:
    from stormdraw.ensembles.settings import Ensembles
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class CalibratedSystem(WithoutModel):
    """The members of the system `of`, with distributions fitted on validation cases.

    The distributions (EMOS) are fitted on so many `cases`, or as many as there are. Members keep
    their order at every point (ensemble copula coupling). Only the variables in the list `only` are
    calibrated, without it those that have neither a floor nor a transform; the others stay raw.
    """

    method: Literal["calibrated"]
    of: Name
    cases: Annotated[int, Field(ge=1, le=400)] = 15
    only: Annotated[list[ScoredName], Field(min_length=1)] | None = None
    bytes_a_value = 2
    megabytes_to_write = 2000

    @property
    def made_from(self) -> str:
        """The system that is calibrated."""
        return self.of

    def role_among(self, ensembles: Ensembles) -> Role:
        """The role of the system it comes from; a calibrated ceiling is a contender."""
        role = ensembles.system(self.of).role
        return "contender" if role == "ceiling" else role

    def on_analyses(self, run: Settings) -> bool:
        """As the system it comes from, which is not made from another one (`check`)."""
        of = [system for system in run.ensembles.systems if system.name == self.of]
        return any(one.made_from is not None or one.on_analyses(run) for one in of)

    def chosen(self, run: Settings) -> list[str]:
        """The variables that are calibrated."""
        if self.only is not None:
            return list(self.only)
        return [name for name in run.variables if variable(name).gaussian]

    def fitted_on(self, run: Settings) -> list[datetime]:
        """Evenly spread validation cases that start at the same hours of the day as the test's."""
        hours_of_day = {init.hour for init in run.initial_times()}
        fitting = [time for time in run.validation_starts() if time.hour in hours_of_day]
        count = min(self.cases, len(fitting))
        return [fitting[len(fitting) * k // count] for k in range(count)]

    def variables(self, run: Settings, models: Models) -> list[str]:
        """The variables of the system it comes from."""
        return self._source(run).variables(run, models)

    def most_members(self, run: Settings) -> int:
        """As many as the system it comes from."""
        return self._source(run).most_members(run)

    def most_drawn(self, run: Settings, models: Models) -> int:
        """As many as the system it comes from, where the models are known."""
        return self._source(run).most_drawn(run, models)

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The system it comes from, and what that depends on."""
        source = self._source(run)
        return {"of": source.model_dump(mode="json") | source.depends_on(run)}

    def caveat(self, run: Settings) -> str:
        """How its members are made."""
        cases, chosen = len(self.fitted_on(run)), self.chosen(run)
        told = (
            f"{self.name} is {self.of} with the distributions of {', '.join(chosen)} fitted on "
            f"{cases} validation {'case' if cases == 1 else 'cases'}. Its M members are moved "
            "about their own mean, which flatters their fair CRPS by up to 1/(2M)."
        )
        with_floor = [name for name in chosen if variable(name).floor is not None]
        if not with_floor:
            return told
        return (
            f"{told} Those of {', '.join(with_floor)} are evenly spaced quantiles, which flatters "
            "it by up to 1/(M + 1), and their fields have too much variance in short waves."
        )

    def check(self, run: Settings) -> None:
        """Also checks that the other system can be calibrated, and that there are cases for it."""
        names = [system.name for system in run.ensembles.systems]
        if self.of not in names:
            raise ValueError(f"calibrates {self.of!r}, which is not a system: {', '.join(names)}")
        source = self._source(run)
        if source.made_from is not None:
            raise ValueError(
                f"calibrates {self.of}, which is made from another system itself; set `of` to "
                f"{source.made_from if source.made_from != self.name else 'another system'}"
            )
        if not source.has_members:
            raise ValueError(
                f"calibrates {self.of}, which is known by mean and spread and has no members to "
                "put in order; set `of` to a system with members"
            )
        self._require_several(source.most_members(run))
        unknown = [name for name in self.chosen(run) if name not in run.variables]
        if unknown:
            raise ValueError(
                f"calibrates `only` {', '.join(unknown)}, but the run's variables are "
                f"{', '.join(run.variables)}; name some of these, or leave `only` out"
            )
        if not self.fitted_on(run):
            starts = ", ".join(sorted({f"{init:%H}" for init in run.initial_times()}))
            raise ValueError(
                f"is fitted on validation cases that start at the test's hours ({starts} UTC), and "
                + ("there is no" if run.periods.validation is None else "none fits into")
                + f" periods.validation; give one that holds such an hour and {max(run.leads)} h "
                "after it, or leave that system out"
            )

    def check_models(self, run: Settings, models: Models) -> None:
        """Checks that the system it comes from has several members, and variables to calibrate."""
        self._require_several(self.most_drawn(run, models))
        own = self.variables(run, models)
        if not set(own) & set(self.chosen(run)):
            raise ValueError(
                f"calibrates none of the variables of {self.of} ({', '.join(own)}); name some of "
                "them in a list `only`. Without that list, those that have neither a floor nor a "
                "transform are calibrated"
            )

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x), as `stormdraw.ensembles.post_processing` makes them."""
        # Imported here, since reading a configuration does not need it.
        from stormdraw.ensembles.post_processing import write_calibrated

        write_calibrated(made, self.chosen(made.run))

    def _source(self, run: Settings) -> AnySystem:
        return run.ensembles.system(self.of)

    def _require_several(self, members: int) -> None:
        if members < 2:
            raise ValueError(
                f"calibrates {self.of}, which has one member and so no spread to calibrate; set "
                "`of` to a system with several members"
            )


SYSTEM = CalibratedSystem
