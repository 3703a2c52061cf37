"""The part `ensembles` of a configuration: the systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from stormdraw.ensembles.climatology import Climatology
from stormdraw.ensembles.fit import (
    require_downscalers,
    require_forecaster,
    require_history,
    require_method,
    require_spread,
    require_steps,
)
from stormdraw.ensembles.reach import (
    require_hrrr,
    require_lagged,
    require_members,
    require_products,
)
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, Sampler
from stormdraw.membership import members_at
from stormdraw.section import Name, Section
from stormdraw.variables import STATE_VARIABLES

if TYPE_CHECKING:
    from stormdraw.models.settings import ModelSettings
    from stormdraw.settings import Settings

# Forecasts of others that a system may be made of.
Forecasts = Literal["hrrr", "lagged", "reference"]

Members = Annotated[int, Field(ge=2, le=1000)]
# How much of a member's noise is that of the hour before: its correlation.
Rho = Annotated[float, Field(ge=0, le=1)]


class AnySystem(Section):
    """What all systems have: a name, a method, and what they need of the rest of a run."""

    name: Name
    method: str

    @property
    def has_members(self) -> bool:
        """Whether it is known by its members, not by mean and spread."""
        return True

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The names of the models whose networks its members are drawn from."""
        return ()

    @property
    def forecasts(self) -> Forecasts | None:
        """The forecasts of others that its members are, or are made from."""
        return None

    def most_members(self, run: Settings) -> int:
        """The most members that one of its files has; 0 if it is known by mean and spread."""
        return run.members(self)

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

    def check_models(self, run: Settings, models: Mapping[str, ModelSettings]) -> None:
        """Raise ValueError likewise if it cannot draw from its models."""

    def _keys_are_of(self, what: str, *keys: str) -> None:
        """Raise ValueError for those of these keys that are given; they are of another kind."""
        for key in keys:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of {what} and does nothing here; leave it out")


class FromModel(AnySystem):
    """Members that a trained model forecasts hour by hour."""

    model: Name
    rho: Rho = 0.0
    calibrate: bool = False
    members: Members | None = None

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The model's."""
        return (self.model,)

    def check(self, run: Settings) -> None:
        """Besides, validation cases to calibrate on, and a member for each job."""
        super().check(run)
        if self.calibrate and not run.calibration_times():
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

    def stepping(self, models: Mapping[str, ModelSettings]) -> str:
        """The name of the model that takes its states from hour to hour."""
        return self.model

    def check_models(self, run: Settings, models: Mapping[str, ModelSettings]) -> None:
        """The model is for this method, and there are states enough for it to start from."""
        require_method(self.method, self.model, models[self.model])
        if self.calibrate:
            require_spread(self.model, models[self.model])
        require_history(run, self.stepping(models), models)


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


class DiffusionSystem(FromModel, Sampled):
    """Members sampled step by step from a trained diffusion model of the next state."""

    method: Literal["diffusion"]

    def check_models(self, run: Settings, models: Mapping[str, ModelSettings]) -> None:
        """Besides, the sampler's steps."""
        super().check_models(run, models)
        require_steps(self.steps, self.model, models[self.model])


class OneStepSystem(FromModel):
    """Members of a model that forecasts in one step; a deterministic one has one member."""

    method: Literal["one_step"]


# HRRR runs as an ensemble, by how many hours before the youngest one each started.
Ages = Annotated[list[Annotated[int, Field(ge=0, le=47)]], Field(min_length=2)]
_SIX_RUNS = [0, 1, 2, 3, 4, 5]


def _each_age_once(ages: list[int]) -> list[int]:
    if len(set(ages)) != len(ages):
        raise ValueError(f"give each age of a run once: {ages}")
    return sorted(ages)


class DownscaleSystem(AnySystem, Sampled):
    """Members with fine values drawn from trained downscalers, about the block means of a forecast.

    The forecast is HRRR's own, that of its older runs by their `ages`, or the reference's members;
    of several, member k is made from the one that stands at place k modulo their number. Each of
    `models` downscales one variable, and the system has these variables only.
    """

    method: Literal["downscale"]
    models: Annotated[list[Name], Field(min_length=1)]
    source: Forecasts = "hrrr"
    ages: Annotated[Ages, AfterValidator(_each_age_once)] = Field(default=_SIX_RUNS)
    members: Members | None = None

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The downscalers'."""
        return tuple(self.models)

    @property
    def forecasts(self) -> Forecasts:
        """What is downscaled."""
        return self.source

    @model_validator(mode="after")
    def _keys_of_the_source(self) -> DownscaleSystem:
        if self.source != "lagged":
            self._keys_are_of("source: lagged", "ages")
        return self

    @model_validator(mode="after")
    def _models_differ(self) -> DownscaleSystem:
        if len(set(self.models)) != len(self.models):
            raise ValueError(f"give each downscaler once: {', '.join(self.models)}")
        return self

    def check(self, run: Settings) -> None:
        """Besides, the forecasts that it downscales."""
        super().check(run)
        if self.source == "hrrr":
            require_hrrr(run)
        elif self.source == "lagged":
            require_lagged(run, run.ages_of(self))
        else:
            require_members(run, 1)

    def check_models(self, run: Settings, models: Mapping[str, ModelSettings]) -> None:
        """Each of its models downscales a variable of its own."""
        require_downscalers(self.drawn_from, models)
        for name in self.models:
            require_steps(self.steps, name, models[name])


class DefSystem(FromModel, Sampled):
    """Members of a deterministic forecaster, whose state a diffusion model perturbs every hour.

    `guidance` is the w of Millard et al. (2025): the smaller, the more a perturbed state may differ
    from the one it is made of. `walks` are perturbations one after the other, each of the last.
    """

    method: Literal["def"]
    forecaster: Name | None = None
    guidance: Annotated[float, Field(ge=0, le=10)] = 0.5
    walks: Annotated[int, Field(ge=1, le=10)] = 1
    restandardise: list[Literal[STATE_VARIABLES]] = Field(default=[])  # type: ignore[valid-type]

    def check(self, run: Settings) -> None:
        """Besides, the variables whose perturbed fields are brought back."""
        super().check(run)
        unknown = [name for name in self.restandardise if name not in run.variables]
        if unknown:
            raise ValueError(
                f"brings {', '.join(unknown)} back to its mean and spread, but the run's variables "
                f"are {', '.join(run.variables)}; leave it out of `restandardise`"
            )

    def stepping(self, models: Mapping[str, ModelSettings]) -> str:
        """The forecaster's, its own or the one that its model was trained for."""
        return require_forecaster(self.forecaster or models[self.model].forecaster, models)

    def check_models(self, run: Settings, models: Mapping[str, ModelSettings]) -> None:
        """Besides, the sampler's steps."""
        super().check_models(run, models)
        require_steps(self.steps, self.model, models[self.model])


class ReferenceSystem(AnySystem):
    """The operational ensemble: its members, or the mean and spread it publishes."""

    method: Literal["reference"]
    kind: Literal["members", "products"] = "members"
    minimum_members: Annotated[int, Field(ge=1)] = 8

    @property
    def has_members(self) -> bool:
        """Unless it is what is published."""
        return self.kind == "members"

    @property
    def forecasts(self) -> Forecasts | None:
        """The reference's members; of its products there are none."""
        return "reference" if self.kind == "members" else None

    def most_members(self, run: Settings) -> int:
        """Those of the reference ensemble at any of the cycles."""
        if self.kind == "products" or run.archive.reference is None:
            return 0
        return max(len(members_at(run.archive.reference, init)) for init in run.initial_times())

    def check(self, run: Settings) -> None:
        """Besides, the reference ensemble's members, or its mean and spread."""
        super().check(run)
        if self.kind == "members":
            require_members(run, self.minimum_members)
        else:
            require_products(run)


class BaselineSystem(AnySystem):
    """What any model must beat.

    `hrrr` is HRRR's own forecast, from the run that the case's initial state is of, and `lagged`
    that and older runs of it, by their `ages` in hours, as an ensemble. Of a climatology,
    `window_hours` and `season_days` are how far from the valid hour of the day and from the day of
    the year a training state may be; it has at most `climatology_members`.
    """

    method: Literal["baseline"]
    kind: Literal["persistence", "climatology", "hrrr", "lagged"]
    window_hours: Annotated[int, Field(ge=0, le=12)] = 1
    season_days: Annotated[int, Field(ge=0, le=183)] = 45
    climatology_members: Members = 60
    ages: Annotated[Ages, AfterValidator(_each_age_once)] = Field(default=_SIX_RUNS)

    @model_validator(mode="after")
    def _keys_of_the_kind(self) -> BaselineSystem:
        if self.kind != "climatology":
            climatology = ("window_hours", "season_days", "climatology_members")
            self._keys_are_of("kind: climatology", *climatology)
        if self.kind != "lagged":
            self._keys_are_of("kind: lagged", "ages")
        return self

    @property
    def forecasts(self) -> Forecasts | None:
        """HRRR's, if it is these."""
        return self.kind if self.kind in ("hrrr", "lagged") else None

    @property
    def climatology(self) -> Climatology:
        """Which training hours are members, if it is one."""
        return Climatology(self.window_hours, self.season_days, self.climatology_members)

    def most_members(self, run: Settings) -> int:
        """One, or a member for each run, or for each training hour that may be chosen."""
        if self.kind == "climatology":
            return self.climatology.most(run.periods.training.times(), run.valid_times())
        return len(self.ages) if self.kind == "lagged" else 1

    def check(self, run: Settings) -> None:
        """Besides, HRRR's forecasts, if it is these."""
        super().check(run)
        if self.kind == "hrrr":
            require_hrrr(run)
        if self.kind == "lagged":
            require_lagged(run, run.ages_of(self))


class PerfectSystem(AnySystem):
    """Draws from the simulated archive's true forecast distribution."""

    method: Literal["perfect"]
    members: Members | None = None

    def check(self, run: Settings) -> None:
        """Besides, a simulated archive."""
        super().check(run)
        if run.archive.source != "simulated":
            raise ValueError(
                "needs the true distribution, which only archive.source: simulated has"
            )


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


# Systems that a trained model forecasts for.
ModelSystem = DiffusionSystem | OneStepSystem | DefSystem


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
    def _names_differ(self) -> Ensembles:
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
