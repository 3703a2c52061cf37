"""The configuration file as checked types; `config/schema.json` is exported from here."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from stormdraw.archive.availability import (
    require_periods,
    require_products,
    require_simulated,
    require_truth,
)
from stormdraw.archive.driving_needs import needed_forecasts, require_driving_fits
from stormdraw.archive.driving_schedule import DrivingForecast
from stormdraw.archive.settings import Archive
from stormdraw.archive.stations.wanted import require_stations
from stormdraw.consistency import (
    require_cases,
    require_first_leads,
    require_hours_of_statistics,
    require_hours_to_learn_from,
    require_named_systems,
    require_no_leakage,
    require_systems,
)
from stormdraw.ensembles.settings import Ensembles
from stormdraw.ensembles.system import AnySystem
from stormdraw.errors import StormdrawError
from stormdraw.fields.settings import Fields
from stormdraw.forecasts.settings import Cycles, Forecast
from stormdraw.membership import Need
from stormdraw.model_entries import CrossedModel, GivenModel, ModelEntry, name_of
from stormdraw.periods import Cases, Periods
from stormdraw.report.candidates import require_products_fit
from stormdraw.report.settings import Report
from stormdraw.roles import GivenRoles, Roles
from stormdraw.scores.settings import Scores
from stormdraw.section import Name, Section, explain
from stormdraw.times import format_date, format_init, hourly, hours
from stormdraw.variables import DEFAULT_STATE, VARIABLES, scored_variables, use_table
from stormdraw.yaml_lines import explain_in


class Settings(Section):
    """A whole configuration file."""

    # `roles` has the key `variables`, when it is written as well.
    model_config = ConfigDict(serialize_by_alias=True)

    title: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    variable_table: Annotated[dict[str, dict[str, Any]], Field(validate_default=True)] = {}
    roles: GivenRoles = Field(default=Roles(predicted=DEFAULT_STATE), alias="variables")
    periods: Periods = Periods()
    cycle: Cycles = []
    verify: bool = False
    leads: Annotated[list[Annotated[int, Field(ge=1, le=60)]], Field(min_length=1)]
    cases: Cases = Cases()
    archive: Archive = Archive()
    fields: Fields = Fields()
    models: list[ModelEntry] = []
    models_export: list[Name] = []
    ensembles: Ensembles
    scores: Scores = Field(default_factory=Scores, validate_default=True)
    report: Report = Report()
    forecast: Forecast = Forecast()

    @field_validator("variable_table")
    @classmethod
    def _take_the_table(cls, own: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Before the keys below, in which names of variables are checked against the table."""
        try:
            use_table(own)
        except StormdrawError as error:
            raise ValueError(str(error).removeprefix("variable_table: ")) from None
        return own

    @field_validator("leads")
    @classmethod
    def _leads_differ(cls, leads: list[int]) -> list[int]:
        return sorted(set(leads))

    @field_validator("models")
    @classmethod
    def _models_differ(cls, models: list[ModelEntry]) -> list[ModelEntry]:
        names = [name_of(entry) for entry in models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names of models must differ, but {', '.join(twice)} occurs twice")
        return models

    @field_validator("scores")
    @classmethod
    def _thresholds_are_of_what_is_scored(cls, scores: Scores, known: ValidationInfo) -> Scores:
        if "roles" not in known.data:
            return scores
        scored = scored_variables(list(known.data["roles"].forecast))
        others = [name for name in scores.thresholds if name not in scored]
        if others and "thresholds" in scores.model_fields_set:
            raise ValueError(
                f"thresholds.{others[0]}: {others[0]} is not scored in this run, whose variables "
                f"are {', '.join(scored)}; leave it out"
            )
        kept = {name: given for name, given in scores.thresholds.items() if name in scored}
        return scores.model_copy(update={"thresholds": kept})

    @model_validator(mode="after")
    def _take_the_floor(self) -> "Settings":
        """No echo is what the base model writes for it, unless `variable_table` says otherwise."""
        floor = self.archive.base_model.reflectivity_floor
        own = {
            name: {"lower": floor, "floor": floor} | self.variable_table.get(name, {})
            for name, row in VARIABLES.items()
            if row.decibel and row.floor != floor
        }
        if own:
            use_table(self.variable_table | own)
        return self

    @model_validator(mode="after")
    def _sections_agree(self) -> "Settings":
        # In this order: the later ones take for granted what the earlier ones ask for.
        for require in (
            require_hours_of_statistics,
            require_cases,
            require_hours_to_learn_from,
            require_no_leakage,
            require_periods,
            require_truth,
            require_stations,
            require_systems,
            require_products,
            require_simulated,
            require_driving_fits,
            require_named_systems,
            require_products_fit,
            require_first_leads,
        ):
            require(self)
        return self

    @property
    def variables(self) -> list[str]:
        """The variables of forecasts: the predicted ones, then the diagnosed ones."""
        return list(self.roles.forecast)

    @property
    def model_names(self) -> list[str]:
        """The names of the models, which are those of their folders."""
        return list(self.models_by_name())

    def models_by_name(self) -> dict[str, str | CrossedModel | GivenModel]:
        """The entries of the list of models by name."""
        return {name_of(entry): entry for entry in self.models}

    @property
    def given_models(self) -> dict[str, GivenModel]:
        """The models that were trained elsewhere, by name."""
        return {entry.name: entry for entry in self.models if isinstance(entry, GivenModel)}

    @property
    def trained_models(self) -> list[str]:
        """The names of the models that this run trains."""
        return [name for name in self.model_names if name not in self.given_models]

    def as_given(self) -> dict[str, Any]:
        """What JSON can hold and `Settings.model_validate` makes these settings of again."""
        content = self.model_dump(mode="json")
        systems = [system.model_dump(mode="json") for system in self.ensembles.given()]
        content["ensembles"]["systems"] = systems
        return content

    def calibration_times(self) -> list[datetime]:
        """The initial times of the cases for calibrating spread, evenly over the validation period.

        Their states and leads are all within it.
        """
        fitting = self.validation_starts()
        count = min(self.ensembles.calibration_cases, len(fitting))
        return [fitting[len(fitting) * k // count] for k in range(count)]

    def calibration_members(self, system: AnySystem) -> int:
        """The number of members of a calibrated system drawn of each calibration case."""
        return min(self.members(system), self.ensembles.calibration_members)

    def validation_starts(self) -> list[datetime]:
        """The initial times of all cases that fit into the validation period, one every hour.

        Their states and leads all lie in it.
        """
        validation = self.periods.validation
        if validation is None:
            return []
        first = validation.start + hours(self.cases.history - 1)
        return list(hourly(first, validation.end - hours(max(self.leads)), 1))

    def members_of_part(self, system: AnySystem, part: int) -> range:
        """The members drawn by job `part`, counted from 0, of the jobs that share a case."""
        members, jobs = self.members(system), self.ensembles.jobs_per_case
        return range(members * part // jobs, members * (part + 1) // jobs)

    def initial_times(self) -> list[datetime]:
        """The initial time of each case whose leads are all within the test period.

        In a forecast these are its cycles.
        """
        test = self.periods.test
        if test is None:
            return sorted(set(self.cycle))
        last = test.end - hours(max(self.leads))
        return list(hourly(test.start, last, self.cases.every_hours))

    def cases_of(self, system: AnySystem) -> list[datetime]:
        """The initial times of all cases of a system, ascending.

        Those of the test, validation cases that another system is fitted on, and older runs that
        another system is made of.
        """
        times = set(self.initial_times())
        for other in self.ensembles.systems:
            if other.made_from == system.name:
                times.update(other.fitted_on(self))
                for init in self.initial_times():
                    times.update(other.made_at(init))
        return sorted(times)

    def cases_from(self, source: str) -> list[datetime]:
        """The initial times at which systems need forecasts of a source, ascending."""
        needing = [
            system
            for system in self.ensembles.systems
            if (need := system.need(self)) is not None and need.source == source
        ]
        fitted = {init for system in needing for init in self.cases_of(system)}
        return sorted({*self.initial_times(), *fitted})

    def all_cases(self) -> list[datetime]:
        """The initial times of all cases of any system, ascending."""
        return sorted({init for system in self.ensembles.systems for init in self.cases_of(system)})

    def compared_cases(self) -> list[datetime]:
        """The initial times of the cases that are scored, or that systems are fitted on."""
        fitted = (init for system in self.ensembles.systems for init in system.fitted_on(self))
        return sorted({*self.initial_times(), *fitted})

    def valid_times(self) -> list[datetime]:
        """The valid times of all scored forecasts, ascending."""
        return self._valid_times(self.initial_times())

    def compared_times(self) -> list[datetime]:
        """The times that forecasts are scored or fitted at, ascending."""
        return self._valid_times(self.compared_cases())

    def _valid_times(self, inits: list[datetime]) -> list[datetime]:
        return sorted({init + hours(lead) for init in inits for lead in self.leads})

    def analysis_times(self) -> list[datetime]:
        """The hours whose analyses the run needs, ascending.

        These are all hours of training and validation. Of the test period they are only those that
        systems use and those that forecasts are compared with; a forecast that is not verified is
        compared with nothing.
        """
        if not self.uses_archive:
            return []
        wanted = {*self.compared_times()} if self.verify or not self.cycle else set()
        wanted.update(self.periods.training_times(), self.periods.validation_times())
        for system in self.ensembles.systems:
            if system.on_analyses(self):
                for init in self.cases_of(system):
                    wanted.update(init - hours(age) for age in range(self.cases.history))
                    wanted.update(system.analyses(self, init))
        return sorted(wanted)

    def learning(self) -> list[str]:
        """What of the run learns from the training period, in words; nothing if it only scores."""
        models = [f"the model {name}" for name in self.trained_models]
        # The checkpoint of a given model has the statistics of what drives it.
        undriven = self.archive.driving is None or self.given_models
        driving = [] if undriven else ["archive.driving"]
        states = [system.name for system in self.ensembles.systems if system.of_training]
        percentiles = [
            f"a percentile of {name} in scores.thresholds" for name in self.scores.percentiles
        ]
        return [*models, *driving, *states, *percentiles]

    def folder_of(self, time: datetime) -> str:
        """The name of the files of a time: that of its day, in a forecast that of its hour.

        A day's files would change with each cycle of it, and all that was made of them.
        """
        return format_init(time) if self.cycle else format_date(time)

    @property
    def uses_archive(self) -> bool:
        """Whether the run needs the archive: analyses, and what is put on their grid."""
        if (
            self.models
            or self.learning()
            or not all(self.archive.truth_of(name).external for name in self.variables)
        ):
            return True
        return any(system.on_analyses(self) for system in self.ensembles.systems)

    @property
    def static_fields(self) -> list[str]:
        """The fields that do not change, if anything can read them.

        That is models, what learns, scores at stations, and a day without any analysis, for its
        grid.
        """
        may_lack = self.archive.hours_may_be_absent()
        read = self.models or self.periods.training or self.archive.stations or may_lack
        return list(self.fields.static) if read and self.uses_archive else []

    @property
    def simulated(self) -> bool:
        """Whether the run is of the simulated world."""
        return self.archive.source == "simulated" and self.uses_archive

    def driving_forecasts(self) -> list[DrivingForecast]:
        """The forecasts of the driving model that the run needs, ascending; none without one.

        A verification draws nothing.
        """
        needs = self.archive.driving is not None and not self.verify
        return needed_forecasts(self) if needs else []

    def baselines(self) -> list[str]:
        """The names of the systems that any model must beat."""
        return [system.name for system in self.ensembles.in_role("baseline")]

    def perfect_system(self) -> str | None:
        """The name of the first system that draws from the true distribution, if there is one."""
        return next((system.name for system in self.ensembles.in_role("ceiling")), None)

    def needs(self, source: str | None = None) -> list[Need]:
        """What the systems need from the archive besides analyses, from one source or from all."""
        needs = [need for one in self.ensembles.systems if (need := one.need(self)) is not None]
        return [need for need in needs if source in (None, need.source)]

    def ages(self, source: str | None = None) -> list[int]:
        """The ages in hours of the base model's runs before a case; of one source or of all."""
        return sorted({age for need in self.needs(source) for age in need.ages})

    def members(self, system: AnySystem) -> int:
        """The number of members of a sampled system."""
        return getattr(system, "members", None) or self.ensembles.members


def load_settings(
    config: dict[str, Any], *files: str | Path, form: type[Settings] = Settings
) -> Settings:
    """Check a configuration from Snakemake, read from these YAML files, for what `form` asks.

    Raises StormdrawError with one line that names each wrong key, its file and line, and what was
    expected.
    """
    try:
        return form.model_validate(config)
    except ValidationError as error:
        if files:
            raise StormdrawError(explain_in(error, files)) from None
        raise StormdrawError(f"the configuration: {explain(error)}") from None


def load_yaml(path: str | Path) -> dict[str, Any]:
    """The content of a YAML file, a mapping.

    Raises StormdrawError if it cannot be read or is not a mapping.
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
