"""What every kind of system says of itself. A kind is a file (`stormdraw.ensembles.registry`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol

from pydantic import Field, model_validator

from stormdraw.ensembles.fit import require_history, require_method, require_noise
from stormdraw.ensembles.noise_groups import groups_of, most_tries
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, Sampler, network_calls
from stormdraw.membership import Need
from stormdraw.section import Name, Section
from stormdraw.variables import variable

if TYPE_CHECKING:
    from stormdraw.ensembles.drawing import CaseToDraw
    from stormdraw.ensembles.files import Case
    from stormdraw.ensembles.settings import Ensembles
    from stormdraw.models.settings import ModelSettings
    from stormdraw.settings import Settings

    Models = Mapping[str, ModelSettings]

Members = Annotated[int, Field(ge=2, le=1000)]
# How much of a member's noise is that of the hour before: its correlation.
Rho = Annotated[float, Field(ge=0, le=1)]
# Standard deviation of the noise that members are drawn from; networks are trained with 1.
NoiseAmplitude = Annotated[float, Field(ge=0, le=5)]

# What the report takes a system for. A ceiling draws from the true distribution.
Role = Literal["contender", "reference", "baseline", "ceiling"]


class Forecasts(Protocol):
    """Forecasts of others that systems are, or are made from (`stormdraw.ensembles.reach`)."""

    def need(self, run: Settings) -> Need:
        """What they need of the archive."""

    def require(self, run: Settings) -> None:
        """Raise ValueError if they are not there for every case and lead.

        The message goes on where the name of a system stands.
        """


@dataclass(frozen=True)
class CaseToMake:
    """A case of a system that needs no network, and what it is made of.

    `settings` are what it depends on. `analyses` are day files, `forecasts` is the file of the
    case, `world` the simulated one, `ensembles` another system's cases and `coefficients` what was
    fitted to that system, each only where the system reads it. So are `grid`, a file on the target
    grid, and `quality`, where suspicious values are listed.
    """

    run: Settings
    case: Case
    output: Path
    settings: Mapping[str, Any]
    analyses: Sequence[Path] = ()
    forecasts: Path = Path()
    world: Path = Path()
    ensembles: Sequence[Path] = ()
    coefficients: Path = Path()
    grid: Path = Path()
    quality: Path = Path()


class AnySystem(Section):
    """The part of every kind: what it is made of, what it costs, how it is shown, how it is made.

    A kind sets what differs.
    """

    name: Name
    method: str

    role: ClassVar[Role] = "contender"
    # Whether it is known by its members, not by mean and spread.
    has_members: ClassVar[bool] = True
    # Whether a trained model takes its states from hour to hour.
    by_model: ClassVar[bool] = False
    # Whether its members are states of the training period, or of the simulated world.
    of_training: ClassVar[bool] = False
    of_world: ClassVar[bool] = False
    # Whether it is somebody else's forecasts. What these lack is left out for all systems.
    of_others: ClassVar[bool] = False
    # Whether it is read from files that no rule of this workflow made.
    of_files: ClassVar[bool] = False
    # Of the files of a case on the disk, and of the job that writes one.
    bytes_a_value: ClassVar[int] = 4
    megabytes_to_write: ClassVar[int] = 1000

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The names of the models whose networks its members are drawn from."""
        return ()

    @property
    def made_from(self) -> str | None:
        """The name of the system whose ensembles its members are made from."""
        return None

    def made_at(self, init: datetime) -> Sequence[datetime]:
        """The initial times of the cases of `made_from` that a case is made of."""
        return [init]

    def role_among(self, ensembles: Ensembles) -> Role:
        """What the report takes it for, among the systems of a run."""
        return self.role

    def fitted_on(self, run: Settings) -> list[datetime]:
        """The initial times of the validation cases of `made_from` that it is fitted on."""
        return []

    @property
    def forecasts(self) -> Forecasts | None:
        """The forecasts of others that its members are, or are made from."""
        return None

    def need(self, run: Settings) -> Need | None:
        """What it needs of the archive beside analyses."""
        return None if self.forecasts is None else self.forecasts.need(run)

    def on_analyses(self, run: Settings) -> bool:
        """Whether it needs the analyses of initial times: to start from them, or for their grid."""
        return True

    def analyses(self, run: Settings, init: datetime) -> Sequence[datetime]:
        """The valid times of the analyses that a case is made of, except those of the training."""
        return ()

    def files_of(self, run: Settings, init: datetime) -> Sequence[str]:
        """The files that a case is read from, if no rule makes them, as far as they are here."""
        return ()

    def require_files(self, run: Settings) -> None:
        """Raise StormdrawError if there is none of these for any case."""

    def variables(self, run: Settings, models: Models) -> list[str]:
        """The variables of a state that its files hold, in the order of a state."""
        return list(run.variables)

    def most_members(self, run: Settings) -> int:
        """The most members that one of its files has; 0 if it is known by mean and spread."""
        return run.members(self)

    def most_drawn(self, run: Settings, models: Models) -> int:
        """The most members, where the models are known: a deterministic one has one member."""
        return self.most_members(run)

    def states(self, run: Settings, fetched: Mapping[str, int]) -> int:
        """States (a member at a lead) in the files of all cases; `fetched` are those by source."""
        need = self.need(run)
        if need is not None and not self.drawn_from:
            return fetched.get(need.source, 0)
        return self.most_members(run) * len(run.leads) * len(run.cases_of(self))

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """Evaluations of networks on the whole grid for one member of one case, by model."""
        return {}

    def calibration_draws(self, run: Settings) -> int:
        """Members of validation cases that are drawn at most to calibrate it."""
        return 0

    def twins(self) -> tuple[AnySystem, ...]:
        """Systems that are scored beside it: the uncalibrated twin of a calibrated system."""
        return ()

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The settings that a case depends on beside the system's, the seed, variables and leads.

        Where any of them changes, all cases are made again.
        """
        return {}

    def caveat(self, run: Settings) -> str | None:
        """A sentence for the report on what its scores cannot say."""
        return None

    def check(self, run: Settings) -> None:
        """Raise ValueError if the run lacks what this system is made of.

        The message goes on where the system's name stands.
        """
        for model in self.drawn_from:
            if model not in run.model_names:
                known = ", ".join(run.model_names) or "empty"
                raise ValueError(
                    f"samples the model {model!r}, which is not in the list `models` ({known})"
                )
        if self.forecasts is not None:
            self.forecasts.require(run)

    def check_models(self, run: Settings, models: Models) -> None:
        """Raise ValueError, with a message of the same form, if it cannot draw from its models."""


class WithoutModel(AnySystem):
    """A system whose members need no trained model. A kind writes them with `write`."""

    @abstractmethod
    def write(self, made: CaseToMake) -> None:
        """Write `results/ensembles/{system}/{init}.nc`, (member, lead, y, x) of each variable.

        Raises StormdrawError if the files lack something.
        """


class Baseline(WithoutModel):
    """What any model must beat: all systems get a skill against each. It has one member."""

    method: Literal["baseline"]
    role = "baseline"

    def most_members(self, run: Settings) -> int:
        """One."""
        return 1


class Reference(WithoutModel):
    """The operational ensemble: its members, or the mean and spread it publishes."""

    method: Literal["reference"]
    minimum_members: Annotated[int, Field(ge=1)] = 8
    role = "reference"
    of_others = True


class Drawing(AnySystem):
    """Members drawn at random, as many as the configuration asks for."""

    members: Members | None = None

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """How many members there are."""
        return {"members": run.members(self)}


class FromModel(Drawing):
    """Members that a trained model forecasts hour by hour. A kind writes them with `draw`.

    A calibrated system is scored beside its uncalibrated twin, `<name>_raw`.
    """

    model: Name
    rho: Rho = 0.0
    noise_amplitude: NoiseAmplitude = 1.0
    calibrate: bool = False
    by_model = True
    bytes_a_value = 2

    # Whether the noise has a channel for each variable.
    noise_by_variable: ClassVar[bool] = False

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The model's."""
        return (self.model,)

    def most_drawn(self, run: Settings, models: Models) -> int:
        """As many as asked for, or one."""
        return run.members(self) if models[self.model].by_chance else 1

    def noisy(self, run: Settings) -> list[str]:
        """The variables that the noise is of: those of a forecast, where it has a channel each."""
        return run.variables

    def groups(self, run: Settings) -> dict[str, list[str]]:
        """The groups of variables to which calibration gives an amplitude each."""
        return groups_of(self.noisy(run), self.noise_by_variable)

    def amplitudes(
        self, variables: Sequence[str], multiples: Mapping[str, float]
    ) -> tuple[float, ...]:
        """The noise's amplitude times the `multiples` by variable; one number if all are equal."""
        each = [self.noise_amplitude * multiples.get(name, 1.0) for name in variables]
        return tuple(each) if len(set(each)) > 1 else (each[0],)

    def calibration_draws(self, run: Settings) -> int:
        """The members of the calibration cases, with each amplitude that is tried."""
        if not self.calibrate:
            return 0
        tries = most_tries(self.groups(run), run.ensembles.calibration_amplitudes)
        return run.calibration_members(self) * len(run.calibration_times()) * tries

    def twins(self) -> tuple[AnySystem, ...]:
        """The uncalibrated twin of a calibrated system."""
        if not self.calibrate:
            return ()
        return (self.model_copy(update={"name": f"{self.name}_raw", "calibrate": False}),)

    def caveat(self, run: Settings) -> str | None:
        """What calibration changed, and the name of the uncalibrated twin."""
        if not self.calibrate:
            return None
        scaled = [name for name in run.variables if variable(name).gaussian]
        factor = f", and a factor on the spread of {', '.join(scaled)}," if scaled else ""
        flattered = (
            " A factor above 1 flatters the fair CRPS of its M members by up to 1/(2M)."
            if scaled
            else ""
        )
        return (
            f"{self.name} is calibrated: how much noise its members are drawn with{factor} was "
            f"chosen on {len(run.calibration_times())} validation cases, none of which is scored "
            f"here.{flattered} {self.name}_raw is the same system without calibration."
        )

    def check(self, run: Settings) -> None:
        """Also checks that there are cases to calibrate on, and a member for each job."""
        super().check(run)
        # A forecast takes the calibration of a study.
        if self.calibrate and not run.cycle and not run.calibration_times():
            raise ValueError(
                "is calibrated on validation cases, but "
                + ("there is no" if run.periods.validation is None else "no case fits into")
                + f" periods.validation; give one of more than {max(run.leads)} h, or set "
                "`calibrate` to false"
            )
        jobs = run.ensembles.jobs_per_case
        if run.members(self) < jobs:
            raise ValueError(
                f"has only {run.members(self)} members to share among ensembles.jobs_per_case: "
                f"{jobs} jobs; set that to at most as many"
            )

    def stepping(self, models: Models) -> str:
        """The name of the model that takes its states from hour to hour."""
        return self.model

    def check_models(self, run: Settings, models: Models) -> None:
        """The model is for this method, and there are states enough for it to start from."""
        require_method(self.method, self.model, models[self.model])
        for key in ("noise_amplitude", "calibrate"):
            if getattr(self, key) != type(self).model_fields[key].default:
                require_noise(self.model, models[self.model], key)
        require_history(run, self.stepping(models), models)

    @abstractmethod
    def draw(self, made: CaseToDraw) -> None:
        """Write the members of one case, (member, lead, y, x) of each variable.

        Raises StormdrawError if a checkpoint does not fit or an initial state has missing points.
        """


class Sampled(Section):
    """How a diffusion model is sampled."""

    sampler: Sampler = "dpm_solver++"
    steps: Annotated[int, Field(ge=1)] = DEFAULT_STEPS
    eta: Annotated[float, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _eta_is_of_ddim(self) -> Sampled:
        if self.eta and self.sampler != "ddim":
            raise ValueError(f"eta is of the sampler ddim, not of {self.sampler}; leave it out")
        return self

    @property
    def calls(self) -> int:
        """Evaluations of the network for one sample."""
        return network_calls(self.sampler, self.steps)
