"""Samples of the simulated archive's true forecast distribution."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.system import CaseToMake, Drawing, WithoutModel

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class PerfectSystem(Drawing, WithoutModel):
    """Draws from the simulated archive's true forecast distribution.

    No forecast can score better except by chance, so every other system is measured against it.
    """

    method: Literal["perfect"]
    role = "ceiling"
    of_world = True
    bytes_a_value = 2
    megabytes_to_write = 2000

    def analyses(self, run: Settings, init: datetime) -> Sequence[datetime]:
        """The analysis of the initial time, which has the grid."""
        return (init,)

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The number of members, and how they are put on the grid."""
        return super().depends_on(run) | {
            "target": run.fields.model_dump(mode="json", include={"crop", "coarsen"})
        }

    def caveat(self, run: Settings) -> str:
        """It is not a forecast."""
        return (
            "The perfect ensemble draws from the true distribution and cannot be had in reality; "
            "it shows what is left to win."
        )

    def check(self, run: Settings) -> None:
        """Also checks that the archive is simulated."""
        super().check(run)
        if run.archive.source != "simulated":
            raise ValueError(
                "needs the true distribution, which only archive.source: simulated has"
            )

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x), drawn from the world's true state at the initial time."""
        # Imported here, since reading a configuration does not need them.
        from stormdraw.fields.source_fields import SourceField
        from stormdraw.fields.target import Checks, Target
        from stormdraw.grids import Grid
        from stormdraw.simulated.perfect import draw_members

        run, case = made.run, made.case
        leads, members = list(case.leads), run.members(self)
        drawn = draw_members(
            made.world, case.init, leads, members, run.seed, case.system, case.variables
        )
        source = Grid.of(drawn)
        target = Target.of_file(made.analyses[0], run.fields)
        checks = Checks(case.init, "keep", bounded=False)
        to = (made.output, target.grid, case, range(members), made.settings)
        with ensemble_file(*to, packed=True) as put:
            for k, j in np.ndindex(members, len(leads)):
                one = drawn.isel(member=k, lead=j)
                fields = [
                    SourceField(name, one[name].values, source, str(made.world))
                    for name in case.variables
                ]
                state, _ = target.place(fields, checks)
                put(k, j, np.stack([state[name] for name in case.variables]))


SYSTEM = PerfectSystem
