"""The members of the reference ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from stormdraw.ensembles.forecasts import write_members
from stormdraw.ensembles.reach import ReferenceMembers
from stormdraw.ensembles.system import CaseToMake, Reference
from stormdraw.membership import members_at

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class MembersSystem(Reference):
    """The members of the reference ensemble; with fewer than `minimum_members` there are none."""

    kind: Literal["members"] = "members"

    @property
    def forecasts(self) -> ReferenceMembers:
        """The reference's members."""
        return ReferenceMembers(self.minimum_members)

    def most_members(self, run: Settings) -> int:
        """The largest number of members at any cycle."""
        if run.archive.reference is None:
            return 0
        return max(len(members_at(run.archive.reference, init)) for init in run.initial_times())

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """Whether too few members of a variable stop the run."""
        return {"may_be_missing": run.archive.missing != "fail"}

    def caveat(self, run: Settings) -> str:
        """The members are not exchangeable."""
        return (
            f"Members of {str(run.archive.reference).upper()} are different models and ages, "
            "and so not exchangeable: the fair CRPS "
            "corrects for their number as if they were, and is approximate for them."
        )

    def write(self, made: CaseToMake) -> None:
        """The members (member, lead, y, x)."""
        write_members(made, self.minimum_members, made.settings["may_be_missing"])


SYSTEM = MembersSystem
