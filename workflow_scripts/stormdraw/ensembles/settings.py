"""The part `ensembles` of a configuration: the systems."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from stormdraw.ensembles.sampler_steps import Sampler
from stormdraw.section import Name, Section
from stormdraw.variables import STATE_VARIABLES

Members = Annotated[int, Field(ge=2, le=1000)]
# How much of a member's noise is that of the hour before: its correlation.
Rho = Annotated[float, Field(ge=0, le=1)]


class DiffusionSystem(Section):
    """Members sampled step by step from a trained diffusion model of the next state."""

    method: Literal["diffusion"]
    name: Name
    model: Name
    sampler: Sampler = "dpm_solver++"
    steps: Annotated[int, Field(ge=1)] = 8
    eta: Annotated[float, Field(ge=0, le=1)] = 0.0
    rho: Rho = 0.0
    calibrate: bool = False
    members: Members | None = None

    @model_validator(mode="after")
    def _eta_is_of_ddim(self) -> "DiffusionSystem":
        _check_eta(self.eta, self.sampler)
        return self


class OneStepSystem(Section):
    """Members of a model that forecasts in one step; a deterministic one has one member."""

    method: Literal["one_step"]
    name: Name
    model: Name
    rho: Rho = 0.0
    calibrate: bool = False
    members: Members | None = None


# HRRR runs as an ensemble, by how many hours before the youngest one each started.
Ages = Annotated[list[Annotated[int, Field(ge=0, le=47)]], Field(min_length=2)]
_SIX_RUNS = [0, 1, 2, 3, 4, 5]


def _each_age_once(ages: list[int]) -> list[int]:
    if len(set(ages)) != len(ages):
        raise ValueError(f"give each age of a run once: {ages}")
    return sorted(ages)


class DownscaleSystem(Section):
    """Members with fine values drawn from trained downscalers, about the block means of a forecast.

    The forecast is HRRR's own, that of its older runs by their `ages`, or the reference's members;
    of several, member k is made from the one that stands at place k modulo their number. Each of
    `models` downscales one variable, and the system has these variables only.
    """

    method: Literal["downscale"]
    name: Name
    models: Annotated[list[Name], Field(min_length=1)]
    source: Literal["hrrr", "lagged", "reference"] = "hrrr"
    ages: Annotated[Ages, AfterValidator(_each_age_once)] = Field(default=_SIX_RUNS)
    sampler: Sampler = "dpm_solver++"
    steps: Annotated[int, Field(ge=1)] = 8
    eta: Annotated[float, Field(ge=0, le=1)] = 0.0
    members: Members | None = None

    @model_validator(mode="after")
    def _eta_is_of_ddim(self) -> "DownscaleSystem":
        _check_eta(self.eta, self.sampler)
        return self

    @model_validator(mode="after")
    def _models_differ(self) -> "DownscaleSystem":
        if len(set(self.models)) != len(self.models):
            raise ValueError(f"give each downscaler once: {', '.join(self.models)}")
        return self


class DefSystem(Section):
    """Members of a deterministic forecaster, whose state a diffusion model perturbs every hour.

    `guidance` is the w of Millard et al. (2025): the smaller, the more a perturbed state may differ
    from the one it is made of. `walks` are perturbations one after the other, each of the last.
    """

    method: Literal["def"]
    name: Name
    model: Name
    forecaster: Name | None = None
    guidance: Annotated[float, Field(ge=0, le=10)] = 0.5
    walks: Annotated[int, Field(ge=1, le=10)] = 1
    restandardise: list[Literal[STATE_VARIABLES]] = Field(default=[])  # type: ignore[valid-type]
    sampler: Sampler = "dpm_solver++"
    steps: Annotated[int, Field(ge=1)] = 10
    eta: Annotated[float, Field(ge=0, le=1)] = 0.0
    rho: Rho = 0.0
    calibrate: bool = False
    members: Members | None = None

    @model_validator(mode="after")
    def _eta_is_of_ddim(self) -> "DefSystem":
        _check_eta(self.eta, self.sampler)
        return self


class ReferenceSystem(Section):
    """The operational ensemble: its members, or the mean and spread it publishes."""

    method: Literal["reference"]
    name: Name
    kind: Literal["members", "products"] = "members"
    minimum_members: Annotated[int, Field(ge=1)] = 8


class BaselineSystem(Section):
    """What any model must beat.

    `hrrr` is HRRR's own forecast, from the run that the case's initial state is of, and `lagged`
    that and older runs of it, by their `ages` in hours, as an ensemble. `window_hours` is
    climatology's: how far from the valid hour of the day a training state may be.
    """

    method: Literal["baseline"]
    name: Name
    kind: Literal["persistence", "climatology", "hrrr", "lagged"]
    window_hours: Annotated[int, Field(ge=0, le=12)] = 1
    ages: Annotated[Ages, AfterValidator(_each_age_once)] = Field(default=_SIX_RUNS)


class PerfectSystem(Section):
    """Draws from the simulated archive's true forecast distribution."""

    method: Literal["perfect"]
    name: Name
    members: Members | None = None


def _check_eta(eta: float, sampler: Sampler) -> None:
    if eta and sampler != "ddim":
        raise ValueError(f"eta is of the sampler ddim, not of {sampler}; leave it out")


System = Annotated[
    DiffusionSystem
    | OneStepSystem
    | DefSystem
    | DownscaleSystem
    | ReferenceSystem
    | BaselineSystem
    | PerfectSystem,
    Field(discriminator="method"),
]

# Systems that a trained model forecasts for; each has the key `model`.
ModelSystem = DiffusionSystem | OneStepSystem | DefSystem


def models_of(system: System) -> tuple[str, ...]:
    """The names of the models whose networks a system's members are drawn from."""
    if isinstance(system, DownscaleSystem):
        return tuple(system.models)
    return (system.model,) if isinstance(system, ModelSystem) else ()


class Ensembles(Section):
    """The systems that are scored against each other.

    `jobs_per_case` jobs draw the members of a case side by side. `keep` says whether ensembles stay
    once nothing needs them any more; without it small ones do (`Settings.keeps_ensembles`).
    """

    members: Members = 50
    batch_gigabytes: Annotated[float, Field(gt=0)] = 2.0
    jobs_per_case: Annotated[int, Field(ge=1, le=1000)] = 1
    keep: bool | None = None
    calibration_cases: Annotated[int, Field(ge=1, le=100)] = 4
    systems: list[System]

    @model_validator(mode="after")
    def _names_differ(self) -> "Ensembles":
        names = [system.name for system in self.systems]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"system names must differ, but {', '.join(twice)} stands twice")
        if not names:
            raise ValueError("give at least one system")
        return self

    def system(self, name: str) -> System:
        """The system called `name`."""
        return next(system for system in self.systems if system.name == name)
