"""The members of one case of any system that draws from a trained model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import Rollout
from stormdraw.ensembles.system import FromModel
from stormdraw.settings import Settings


class Named(Protocol):
    """Values by name, as in a dictionary or in what Snakemake gives a script."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Each name with its value."""


@dataclass(frozen=True)
class Drawn:
    """What members are drawn from: a checkpoint, the day files it starts from, and the terrain.

    `forecaster` is the checkpoint that steps the states of the method def.
    """

    checkpoint: Path
    states: Sequence[Path]
    static: Path | None
    forecaster: Path | None = None

    @staticmethod
    def named(inputs: Named) -> "Drawn":
        """From a job's inputs: those that are optional are a path, a list with one, or empty."""
        given = dict(inputs.items())

        def optional(name: str) -> Path | None:
            paths = given.get(name) or []
            return Path(paths if isinstance(paths, str) else paths[0]) if paths else None

        return Drawn(
            Path(given["checkpoint"]),
            [Path(path) for path in given["states"]],
            optional("static"),
            optional("forecaster"),
        )

    def files(self) -> list[Path]:
        """All of them."""
        some = (self.static, self.forecaster)
        return [self.checkpoint, *self.states, *(path for path in some if path is not None)]


@dataclass(frozen=True)
class CaseToDraw:
    """A case whose members are drawn: from what, how, and where they go.

    `settings` are what it depends on.
    """

    case: Case
    drawn: Drawn
    rollout: Rollout
    output: Path
    settings: Mapping[str, Any]
    threads: int


def draw_case(
    run: Settings,
    system: FromModel,
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
    amplitude = (system.noise_amplitude,)
    rollout = Rollout(members, run.seed, memory, system.rho, amplitude, chosen, kept)
    system.draw(CaseToDraw(case, drawn, rollout, output, settings, threads))
