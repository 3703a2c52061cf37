"""Draws the members of one case, for any system with a trained model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import Rollout
from stormdraw.ensembles.stretch import Stretch
from stormdraw.ensembles.system import FromModel
from stormdraw.models.driving import RunDriving
from stormdraw.settings import Settings


class Named(Protocol):
    """Values by name, as in a dictionary or in the inputs of a Snakemake script."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Each name with its value."""


@dataclass(frozen=True)
class DrawingFiles:
    """The files that members are drawn from: a checkpoint, day files of states, and the terrain.

    `forecaster` is the checkpoint of the forecaster of the method def, `calibration` the file with
    the amplitudes of the noise of a calibrated system. `driving` are the day files of what drives
    the model that steps the states, if it is driven.
    """

    checkpoint: Path
    states: Sequence[Path]
    static: Path | None
    forecaster: Path | None = None
    calibration: Path | None = None
    driving: Sequence[Path] = ()

    @staticmethod
    def named(inputs: Named) -> "DrawingFiles":
        """From a job's inputs; optional ones are a path, a list with one, or empty."""
        given = dict(inputs.items())

        def optional(name: str) -> Path | None:
            paths = given.get(name) or []
            return Path(paths if isinstance(paths, str) else paths[0]) if paths else None

        return DrawingFiles(
            Path(given["checkpoint"]),
            [Path(path) for path in given["states"]],
            optional("static"),
            optional("forecaster"),
            optional("calibration"),
            [Path(path) for path in given.get("driving") or []],
        )

    def files(self) -> list[Path]:
        """All files."""
        some = (self.static, self.forecaster, self.calibration)
        given = (path for path in some if path is not None)
        return [self.checkpoint, *self.states, *self.driving, *given]


@dataclass(frozen=True)
class CaseToDraw:
    """A case whose members are to be drawn: inputs, method and output.

    `settings` are those that the result depends on; `driving` is what drives the run.
    """

    case: Case
    drawn: DrawingFiles
    rollout: Rollout
    output: Path
    settings: Mapping[str, Any]
    threads: int
    driving: RunDriving | None = None


def draw_case(
    run: Settings,
    system: FromModel,
    drawn: DrawingFiles,
    init: datetime,
    members: int,
    output: Path,
    settings: Mapping[str, Any],
    threads: int,
    chosen: range | None = None,
    kept: Path | None = None,
    amplitudes: Mapping[str, float] = MappingProxyType({}),
    stretch: Stretch | None = None,
) -> None:
    """Write the members of one case, (member, lead, y, x) of each variable.

    `chosen` are the members to draw here, or all if None. The folder `kept` keeps finished members
    if the job is killed (`stormdraw.ensembles.resuming`). `amplitudes` multiply the amplitude of
    the noise of each variable, by default by 1. `stretch` are the hours to draw here, or all if
    None. Raises StormdrawError if the checkpoint does not
    fit or an initial state has missing points.
    """
    roles = run.roles
    case = Case(
        *(system.name, system.method, init, run.leads, run.variables), roles.diagnosed, roles.input
    )
    memory = run.ensembles.batch_gigabytes
    amplitude = system.amplitudes(system.noisy(run), amplitudes)
    rollout = Rollout(members, run.seed, memory, system.rho, amplitude, chosen, kept, stretch)
    driving = RunDriving.of(run, drawn.driving)
    system.draw(CaseToDraw(case, drawn, rollout, output, settings, threads, driving))
