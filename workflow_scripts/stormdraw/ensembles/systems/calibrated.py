"""Another system's members, moved to distributions that were fitted on validation cases."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from stormdraw.ensembles.system import AnySystem, CaseToMake, Role, WithoutModel
from stormdraw.section import Name
from stormdraw.variables import StateName

if TYPE_CHECKING:
    from stormdraw.ensembles.settings import Ensembles
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class CalibratedSystem(WithoutModel):
    """The members of the system `of`, of honest distributions and in the order they were in.

    The distributions (EMOS) are fitted on so many validation `cases`, or as many as there are, and
    members keep their order at every point (ensemble copula coupling). Variables that a list `only`
    leaves out stay as they are.
    """

    method: Literal["calibrated"]
    of: Name
    cases: Annotated[int, Field(ge=1, le=400)] = 15
    only: list[StateName] | None = None
    bytes_a_value = 2
    megabytes_to_write = 2000

    @property
    def made_from(self) -> str:
        """The system that is calibrated."""
        return self.of

    def role_among(self, ensembles: Ensembles) -> Role:
        """That of the system it comes from; a true distribution that was changed is no ceiling."""
        role = ensembles.system(self.of).role
        return "contender" if role == "ceiling" else role

    def fitted_on(self, run: Settings) -> list[datetime]:
        """Validation cases at the hours of the day of the test's, evenly over the validation."""
        hours_of_day = {init.hour for init in run.initial_times()}
        fitting = [time for time in run.validation_starts() if time.hour in hours_of_day]
        count = min(self.cases, len(fitting))
        return [fitting[len(fitting) * k // count] for k in range(count)]

    def variables(self, run: Settings, models: Models) -> list[str]:
        """Those of the system it comes from."""
        return self._source(run).variables(run, models)

    def most_members(self, run: Settings) -> int:
        """As many as the system it comes from."""
        return self._source(run).most_members(run)

    def most_drawn(self, run: Settings, models: Models) -> int:
        """Likewise."""
        return self._source(run).most_drawn(run, models)

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The system it comes from, and what that depends on."""
        source = self._source(run)
        return {"of": source.model_dump(mode="json") | source.depends_on(run)}

    def caveat(self, run: Settings) -> str:
        """How the members came about."""
        cases = len(self.fitted_on(run))
        return (
            f"{self.name} is {self.of} with its distributions fitted on {cases} validation "
            f"{'case' if cases == 1 else 'cases'}. Of variables with a floor its M members are "
            "evenly spaced quantiles rather than draws, which flatters their fair CRPS by up to "
            "1/(M + 1)."
        )

    def check(self, run: Settings) -> None:
        """Besides, a system whose members can be calibrated, and validation cases to do it on."""
        names = [system.name for system in run.ensembles.systems]
        if self.of not in names:
            raise ValueError(f"calibrates {self.of!r}, which is not a system: {', '.join(names)}")
        source = self._source(run)
        if source.made_from is not None:
            raise ValueError(
                f"calibrates {self.of}, which is a calibrated system itself; set `of` to "
                f"{source.made_from if source.made_from != self.name else 'another system'}"
            )
        if not source.has_members:
            raise ValueError(
                f"calibrates {self.of}, which is known by mean and spread and has no members to "
                "put in order; set `of` to a system with members"
            )
        self._require_several(source.most_members(run))
        unknown = [name for name in self.only or [] if name not in run.variables]
        if unknown or self.only == []:
            raise ValueError(
                f"calibrates `only` {', '.join(unknown) or 'nothing'}, but the run's variables are "
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
        """The system it comes from has several members."""
        self._require_several(self.most_drawn(run, models))

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x), as `stormdraw.ensembles.post_processing` makes them."""
        # Here, since a configuration is read without them.
        from stormdraw.ensembles.post_processing import write_calibrated

        write_calibrated(made, self.only)

    def _source(self, run: Settings) -> AnySystem:
        return run.ensembles.system(self.of)

    def _require_several(self, members: int) -> None:
        if members < 2:
            raise ValueError(
                f"calibrates {self.of}, which has one member and so no spread to calibrate; set "
                "`of` to a system with several members"
            )


SYSTEM = CalibratedSystem
