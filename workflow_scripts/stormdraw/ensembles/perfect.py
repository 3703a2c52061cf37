"""The true forecast distribution of the simulated archive, sampled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.target import Checks, Target
from stormdraw.grids import Grid
from stormdraw.simulated.perfect import draw_members


def write_perfect(
    world: Path,
    target: Target,
    members: int,
    run_seed: int,
    case: Case,
    output: Path,
    settings: Mapping[str, Any],
) -> None:
    """Members drawn from the world's own dynamics, from its true state at the initial time.

    Nothing can score better but by chance, so every other system is measured against it.
    """
    drawn = draw_members(world, case.init, list(case.leads), members, run_seed, case.system)
    source = Grid.of(drawn)
    checks = Checks(case.init, "keep", bounded=False)
    with ensemble_file(output, target.grid, case, range(members), settings, packed=True) as put:
        for k in range(members):
            for j in range(len(case.leads)):
                one = drawn.isel(member=k, lead=j)
                fields = [
                    SourceField(name, one[name].values, source, str(world))
                    for name in case.variables
                ]
                state, _ = target.place(fields, checks)
                put(k, j, np.stack([state[name] for name in case.variables]))
