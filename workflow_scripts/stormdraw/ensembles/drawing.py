"""The members of one case of any system that draws from a trained model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stormdraw.ensembles.diffusion import Sampling, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import write_one_step
from stormdraw.ensembles.rollout import Rollout
from stormdraw.ensembles.settings import ModelSystem, OneStepSystem
from stormdraw.settings import Settings


@dataclass(frozen=True)
class Drawn:
    """What members are drawn from: a checkpoint, the day files it starts from, and the terrain."""

    checkpoint: Path
    states: Sequence[Path]
    static: Path | None

    def files(self) -> list[Path]:
        """All of them."""
        return [self.checkpoint, *self.states, *([self.static] if self.static else [])]


def draw_case(
    run: Settings,
    system: ModelSystem,
    drawn: Drawn,
    init: datetime,
    members: int,
    output: Path,
    settings: Mapping[str, Any],
    threads: int,
    chosen: range | None = None,
    kept: Path | None = None,
) -> None:
    """Write the members of one case, (member, lead, y, x) of each variable.

    `chosen` are those of the members that are drawn here, all without it; a folder `kept` keeps
    what is drawn if the job is killed (`stormdraw.ensembles.resuming`).
    Raises StormdrawError if the checkpoint does not fit or an initial state has missing points.
    """
    case = Case(system.name, system.method, init, run.leads, run.variables)
    memory = run.ensembles.batch_gigabytes
    rollout = Rollout(members, run.seed, memory, system.rho, chosen, kept)
    files = (drawn.checkpoint, drawn.states, drawn.static)
    if isinstance(system, OneStepSystem):
        write_one_step(*files, case, rollout, output, settings, threads=threads)
        return
    sampling = Sampling(**vars(rollout), sampler=system.sampler, steps=system.steps, eta=system.eta)
    write_diffusion(*files, case, sampling, output, settings, threads=threads)
