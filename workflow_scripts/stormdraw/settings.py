"""A whole configuration file as checked types; `config/schema.json` is exported from here."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from stormdraw.archive.membership import hrrr_run, lagged_runs
from stormdraw.archive.settings import Archive
from stormdraw.ensembles.settings import (
    BaselineSystem,
    DownscaleSystem,
    Ensembles,
    ModelSystem,
    PerfectSystem,
    ReferenceSystem,
    System,
    models_of,
)
from stormdraw.errors import StormdrawError
from stormdraw.fields.settings import Fields
from stormdraw.periods import Cases, Periods
from stormdraw.report.settings import Report
from stormdraw.scores.settings import Scores
from stormdraw.section import Name, Section, explain
from stormdraw.times import hourly, hours
from stormdraw.variables import STATE_VARIABLES
from stormdraw.yaml_lines import explain_in


class CrossedModel(Section):
    """A model's configuration under a name of its own, for one forecaster of the run."""

    name: Name
    configuration: Name
    forecaster: Name


def _kind_of_model(entry: Any) -> str:
    return "name" if isinstance(entry, str) else "crossed"


# The name of a configuration, or a mapping.
ModelEntry = Annotated[
    Annotated[Name, Tag("name")] | Annotated[CrossedModel, Tag("crossed")],
    Discriminator(_kind_of_model),
]


class Settings(Section):
    """A whole configuration file."""

    title: str
    seed: Annotated[int, Field(ge=0)] = 0
    variables: list[Literal[STATE_VARIABLES]] = list(STATE_VARIABLES)  # type: ignore[valid-type]
    periods: Periods
    leads: Annotated[list[Annotated[int, Field(ge=1, le=60)]], Field(min_length=1)]
    cases: Cases = Cases()
    archive: Archive = Archive()
    fields: Fields = Fields()
    models: list[ModelEntry] = []
    ensembles: Ensembles
    scores: Scores = Scores()
    report: Report = Report()

    @field_validator("variables")
    @classmethod
    def _variables_differ(cls, names: list[str]) -> list[str]:
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"give each variable once, at least one: {names}")
        if ("U10" in names) != ("V10" in names):
            raise ValueError("U10 and V10 come together: a wind is turned between grids as a pair")
        return sorted(names, key=STATE_VARIABLES.index)

    @field_validator("leads")
    @classmethod
    def _leads_differ(cls, leads: list[int]) -> list[int]:
        return sorted(set(leads))

    @field_validator("models")
    @classmethod
    def _models_differ(cls, models: list[ModelEntry]) -> list[ModelEntry]:
        names = [_name_of(entry) for entry in models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names of models must differ, but {', '.join(twice)} stands twice")
        return models

    @model_validator(mode="after")
    def _no_leakage(self) -> "Settings":
        gap = hours(max(self.leads))
        named = self.periods.named()
        for (name, period), (later_name, later) in itertools.pairwise(named):
            if later.start - period.end < gap:
                raise ValueError(
                    f"periods.{name} ends {period.end} and periods.{later_name} starts "
                    f"{later.start}: they must be at least the longest lead ({max(self.leads)} h) "
                    "apart, or the scores would see the training hours"
                )
        return self

    @model_validator(mode="after")
    def _cases_exist(self) -> "Settings":
        if not self.initial_times():
            raise ValueError(
                f"periods.test ({self.periods.test.start} to {self.periods.test.end}) is shorter "
                f"than the longest lead ({max(self.leads)} h): no case fits"
            )
        return self

    @model_validator(mode="after")
    def _systems_make_sense(self) -> "Settings":
        for system in self.ensembles.systems:
            for model in models_of(system):
                if model not in self.model_names:
                    known = ", ".join(self.model_names) or "empty"
                    raise ValueError(
                        f"ensembles.systems: {system.name} samples the model {model!r}, "
                        f"which is not in the list `models` ({known})"
                    )
            if isinstance(system, ReferenceSystem) and self.archive.reference is None:
                raise ValueError(
                    f"ensembles.systems: {system.name} is a reference ensemble, "
                    "but archive.reference is not set; set it to href or refs"
                )
            downscaled = isinstance(system, DownscaleSystem) and system.source == "reference"
            if downscaled and self.archive.reference is None:
                raise ValueError(
                    f"ensembles.systems: {system.name} downscales the reference's members, but "
                    "archive.reference is not set; set it to href or refs, or the system's source "
                    "to hrrr or lagged"
                )
            if isinstance(system, PerfectSystem) and self.archive.source != "simulated":
                raise ValueError(
                    f"ensembles.systems: {system.name} needs the true distribution, which only "
                    "archive.source: simulated has"
                )
        names = [system.name for system in self.ensembles.systems]
        if self.scores.reference is not None and self.scores.reference not in names:
            raise ValueError(
                f"scores.reference is {self.scores.reference!r}, which is not a system: "
                f"{', '.join(names)}"
            )
        if self.report.products_of is not None and self.report.products_of not in names:
            raise ValueError(
                f"report.products_of is {self.report.products_of!r}, which is not a system: "
                f"{', '.join(names)}"
            )
        if self.archive.reference is not None:
            for init in self.initial_times():
                if init.hour % 6:
                    raise ValueError(
                        f"{self.archive.reference.upper()} has cycles at 00, 06, 12 and 18 UTC, "
                        f"but there is a case at {init}; change periods.test.start or "
                        "cases.every_hours"
                    )
        return self

    @model_validator(mode="after")
    def _hrrr_reaches(self) -> "Settings":
        if not self.forecasts_with_hrrr():
            return self
        for init in self.initial_times():
            run = hrrr_run(init, self.archive.analysis_lead)
            if not run.reaches(max(self.leads)):
                raise ValueError(
                    f"ensembles.systems: {' and '.join(self._made_of('hrrr'))} takes HRRR's own "
                    f"forecast, and there is none of {max(self.leads)} h for the case at {init}: "
                    f"HRRR runs {run.longest_lead} h from "
                    f"{init - hours(run.age):%H} UTC (48 h from 00, 06, 12 and 18 UTC, 18 h from "
                    "other hours); take shorter leads or other cases, or leave that system out"
                )
        return self

    @model_validator(mode="after")
    def _lagged_runs_reach(self) -> "Settings":
        for system in self._made_of("lagged").values():
            for init in self.initial_times():
                runs = lagged_runs(init, self.ages_of(system))
                if sum(run.reaches(max(self.leads)) for run in runs) < 2:
                    raise ValueError(
                        f"ensembles.systems: of the runs of {system.name} fewer than two reach "
                        f"{max(self.leads)} h after the case at {init} (HRRR runs 48 h from 00, "
                        "06, 12 and 18 UTC, 18 h from other hours); take shorter leads or others "
                        "of its `ages`, multiples of 6 say, or leave that system out"
                    )
        return self

    @model_validator(mode="after")
    def _calibration_has_cases(self) -> "Settings":
        for system in self.ensembles.systems:
            calibrated = isinstance(system, ModelSystem) and system.calibrate
            if calibrated and not self.calibration_times():
                raise ValueError(
                    f"ensembles.systems: {system.name} is calibrated on validation cases, but "
                    + ("there is no" if self.periods.validation is None else "no case fits into")
                    + f" periods.validation; give one of more than {max(self.leads)} h, or set "
                    "`calibrate` to false"
                )
        return self

    @model_validator(mode="after")
    def _members_for_every_job(self) -> "Settings":
        jobs = self.ensembles.jobs_per_case
        for system in self.ensembles.systems:
            if isinstance(system, ModelSystem) and self.members(system) < jobs:
                raise ValueError(
                    f"ensembles.jobs_per_case is {jobs}, but {system.name} has only "
                    f"{self.members(system)} members to share among them; set it to at most that"
                )
        return self

    @property
    def model_names(self) -> list[str]:
        """The names of the models, which are those of their folders."""
        return list(self.models_by_name())

    def models_by_name(self) -> dict[str, str | CrossedModel]:
        """What stands in the list of models, by the name that it has there."""
        return {_name_of(entry): entry for entry in self.models}

    def calibration_times(self) -> list[datetime]:
        """The initial times of the cases that spread is calibrated on, evenly over the validation.

        Their states and leads all lie in it.
        """
        validation = self.periods.validation
        if validation is None:
            return []
        first = validation.start + hours(self.cases.history - 1)
        fitting = list(hourly(first, validation.end - hours(max(self.leads)), 1))
        count = min(self.ensembles.calibration_cases, len(fitting))
        return [fitting[len(fitting) * k // count] for k in range(count)]

    def calibration_members(self, system: System) -> int:
        """How many members of a calibrated system are drawn to know its spread: 20 do."""
        return min(self.members(system), 20)

    def members_of_part(self, system: System, part: int) -> range:
        """The members that job `part`, counted from 0, of those that share a case draws."""
        members, jobs = self.members(system), self.ensembles.jobs_per_case
        return range(members * part // jobs, members * (part + 1) // jobs)

    def initial_times(self) -> list[datetime]:
        """The initial time of each case whose leads all lie in the test period."""
        test = self.periods.test
        last = test.end - hours(max(self.leads))
        return list(hourly(test.start, last, self.cases.every_hours))

    def baselines(self) -> list[str]:
        """The names of the systems that any model must beat."""
        systems = self.ensembles.systems
        return [system.name for system in systems if isinstance(system, BaselineSystem)]

    def perfect_system(self) -> str | None:
        """The name of the first system that draws from the true distribution, if there is one."""
        systems = self.ensembles.systems
        return next((one.name for one in systems if isinstance(one, PerfectSystem)), None)

    def forecasts_with_hrrr(self) -> bool:
        """Whether HRRR's own forecast is one of the systems, or downscaled by one."""
        return bool(self._made_of("hrrr"))

    def ages_of(self, system: BaselineSystem | DownscaleSystem) -> list[int]:
        """How many hours before a case each run of a lagged ensemble started.

        An age of 0 is the run that the initial state is of.
        """
        return [age + self.archive.analysis_lead for age in system.ages]

    def lagged_ages(self) -> list[int]:
        """The ages of all runs that some lagged ensemble is made of, ascending."""
        return sorted(
            {age for one in self._made_of("lagged").values() for age in self.ages_of(one)}
        )

    def _made_of(self, forecasts: str) -> dict[str, BaselineSystem | DownscaleSystem]:
        """The systems by name that are these forecasts, or downscale them."""
        found: dict[str, BaselineSystem | DownscaleSystem] = {}
        for one in self.ensembles.systems:
            if isinstance(one, BaselineSystem) and one.kind == forecasts:
                found[one.name] = one
            if isinstance(one, DownscaleSystem) and one.source == forecasts:
                found[one.name] = one
        return found

    def members(self, system: System) -> int:
        """How many members a sampled system has."""
        return getattr(system, "members", None) or self.ensembles.members


def _name_of(entry: str | CrossedModel) -> str:
    return entry if isinstance(entry, str) else entry.name


def load_settings(config: dict[str, Any], *files: str | Path) -> Settings:
    """Check a configuration as Snakemake hands it over, read from these YAML files.

    Raises StormdrawError with one line that names each wrong key, where it stands, and what was
    expected.
    """
    try:
        return Settings.model_validate(config)
    except ValidationError as error:
        if files:
            raise StormdrawError(explain_in(error, files)) from None
        raise StormdrawError(f"the configuration: {explain(error)}") from None


def load_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises StormdrawError if it cannot be read or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.safe_load(stream)
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise StormdrawError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise StormdrawError(f"{path}: expected a mapping of keys, found {type(content).__name__}")
    return content
