"""The configuration file as checked types; `config/schema.json` is exported from here."""

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from stormdraw.errors import StormdrawError
from stormdraw.times import hourly, hours
from stormdraw.variables import DERIVED_VARIABLES, STATE_VARIABLES, STATIC_VARIABLES

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SCORED_VARIABLES = (*STATE_VARIABLES, *DERIVED_VARIABLES)

# The region that is always scored.
WHOLE_DOMAIN = "domain"

Hour = Annotated[datetime, Field(description="a time in UTC on the hour, e.g. 2026-06-08T06:00")]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(Section):
    """Valid times from `start` to `end`, both included, hourly."""

    start: Hour
    end: Hour

    @field_validator("start", "end")
    @classmethod
    def _whole_utc_hour(cls, time: datetime) -> datetime:
        if time.tzinfo is not None:
            time = time.replace(tzinfo=None) - (time.utcoffset() or timedelta(0))
        if (time.minute, time.second, time.microsecond) != (0, 0, 0):
            raise ValueError(f"{time} is not on the hour")
        return time

    @model_validator(mode="after")
    def _ordered(self) -> "Period":
        if self.end < self.start:
            raise ValueError(f"ends ({self.end}) before it starts ({self.start})")
        return self

    def times(self) -> list[datetime]:
        """Every hour of the period."""
        return list(hourly(self.start, self.end))


class Periods(Section):
    """What is learnt from, what is tuned on, and what is scored: never the same hours."""

    training: Period
    validation: Period | None = None
    test: Period

    def named(self) -> list[tuple[str, Period]]:
        """(name, period) in the order of time."""
        periods = [("training", self.training), ("test", self.test)]
        if self.validation is not None:
            periods.append(("validation", self.validation))
        return sorted(periods, key=lambda pair: pair[1].start)


class Cases(Section):
    """Initial times: the test period's start and every `every_hours` after it.

    30 hours walks through the initial hours of the day and still gives each case a day of its own.
    """

    every_hours: Annotated[int, Field(ge=1)] = 30


class Mirror(Section):
    """A folder or an http URL laid out like the public bucket."""

    mirror: str


class SimulatedArchive(Section):
    """The simulated world: where on the HRRR grid it lies, and what its storms are like."""

    rows: tuple[int, int] = (480, 577)
    columns: tuple[int, int] = (880, 1011)
    spin_up_hours: Annotated[int, Field(ge=0)] = 24

    @field_validator("rows", "columns")
    @classmethod
    def _ordered(cls, bounds: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= bounds[0] < bounds[1]:
            raise ValueError(f"{bounds} must be [first, end) with 0 <= first < end")
        return bounds


HerbieSource = Literal["aws", "google", "azure", "nomads"]


class Archive(Section):
    """Where GRIB comes from, and what counts as the analysis."""

    source: Literal["simulated"] | list[HerbieSource] | Mirror = "simulated"
    analysis_lead: Annotated[int, Field(ge=0, le=1)] = 0
    reference: Literal["href"] | None = None
    simulated: SimulatedArchive = SimulatedArchive()

    @field_validator("source")
    @classmethod
    def _not_empty(cls, source: Any) -> Any:
        if source == []:
            raise ValueError("give at least one of aws, google, azure, nomads")
        return source

    @model_validator(mode="after")
    def _simulated_analysis(self) -> "Archive":
        if self.source == "simulated" and self.analysis_lead != 0:
            raise ValueError(
                "the simulated archive has analyses for every hour, forecasts for cases only; set "
                "analysis_lead to 0"
            )
        return self


class Crop(Section):
    """Rows and columns of the archive's grid to keep, each [first, end)."""

    rows: tuple[Annotated[int, Field(ge=0)], int]
    columns: tuple[Annotated[int, Field(ge=0)], int]

    @field_validator("rows", "columns")
    @classmethod
    def _ordered(cls, bounds: tuple[int, int]) -> tuple[int, int]:
        if bounds[1] <= bounds[0]:
            raise ValueError(f"{bounds} must be [first, end) with first < end")
        return bounds


class Fields(Section):
    """The target grid and what lies on it besides the state."""

    crop: Crop | None = None
    static: list[Literal[STATIC_VARIABLES]] = ["OROG"]  # type: ignore[valid-type]


class DiffusionSystem(Section):
    """Members sampled step by step from a trained diffusion model of the next state."""

    method: Literal["diffusion"]
    name: Name
    model: Name
    sampler: Literal["dpm_solver++", "ddpm"] = "dpm_solver++"
    steps: Annotated[int, Field(ge=1)] = 8
    members: Annotated[int, Field(ge=2, le=1000)] | None = None


class ReferenceSystem(Section):
    """The operational ensemble: its members, or the mean and spread it publishes."""

    method: Literal["reference"]
    name: Name
    kind: Literal["members", "products"] = "members"
    minimum_members: Annotated[int, Field(ge=1)] = 8


class BaselineSystem(Section):
    """What any model must beat.

    `window_hours` is climatology's: how far from the valid hour of the day a training state may be.
    """

    method: Literal["baseline"]
    name: Name
    kind: Literal["persistence", "climatology"]
    window_hours: Annotated[int, Field(ge=0, le=12)] = 1


class PerfectSystem(Section):
    """Draws from the simulated archive's true forecast distribution."""

    method: Literal["perfect"]
    name: Name
    members: Annotated[int, Field(ge=2, le=1000)] | None = None


System = Annotated[
    DiffusionSystem | ReferenceSystem | BaselineSystem | PerfectSystem,
    Field(discriminator="method"),
]


class Ensembles(Section):
    """The systems that are scored against each other."""

    members: Annotated[int, Field(ge=2, le=1000)] = 50
    batch_gigabytes: Annotated[float, Field(gt=0)] = 2.0
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


class Box(Section):
    """A region between two meridians and two parallels, in degrees; west of Greenwich is below 0.

    A box whose west is greater than its east crosses the 180th meridian.
    """

    west: Annotated[float, Field(ge=-180, le=180)]
    east: Annotated[float, Field(ge=-180, le=180)]
    south: Annotated[float, Field(ge=-90, le=90)]
    north: Annotated[float, Field(ge=-90, le=90)]

    @model_validator(mode="after")
    def _ordered(self) -> "Box":
        if self.north <= self.south:
            raise ValueError(f"north ({self.north}) must be greater than south ({self.south})")
        return self


class Outline(Section):
    """A region that polygons enclose: a GeoJSON file or a shapefile, in degrees."""

    file: Annotated[str, Field(pattern=r"\.(geojson|json|shp)$")]


class Scores(Section):
    """What systems are scored on, what with, and how sure the comparison is."""

    reference: Name | None = None
    bootstrap_samples: Annotated[int, Field(ge=100)] = 2000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    thresholds: dict[Literal[SCORED_VARIABLES], list[float]] = {  # type: ignore[valid-type]
        "REFC": [20.0, 30.0, 40.0],
        "CAPE": [1000.0],
    }
    neighbourhoods: list[Annotated[int, Field(ge=1)]] = [1, 3, 9, 21, 41]
    variogram_lags: list[Annotated[int, Field(ge=1)]] = [1, 4]
    area_weights: bool = True
    maps: bool = True
    regions: dict[Name, Box | Outline] = {}

    @field_validator("thresholds")
    @classmethod
    def _thresholds_differ(cls, thresholds: dict[str, list[float]]) -> dict[str, list[float]]:
        return {name: sorted(set(values)) for name, values in thresholds.items() if values}

    @field_validator("neighbourhoods")
    @classmethod
    def _odd_widths(cls, widths: list[int]) -> list[int]:
        for width in widths:
            if width % 2 == 0:
                raise ValueError(f"{width} is even: a neighbourhood has its point in the middle")
        return sorted(set(widths))

    @field_validator("variogram_lags")
    @classmethod
    def _lags_differ(cls, lags: list[int]) -> list[int]:
        return sorted(set(lags))

    @field_validator("regions")
    @classmethod
    def _domain_is_taken(cls, regions: dict[str, Any]) -> dict[str, Any]:
        if WHOLE_DOMAIN in regions:
            raise ValueError(f"{WHOLE_DOMAIN!r} is the name of all points; choose another")
        return regions


class Report(Section):
    """What the scorecard shows."""

    map_members: Annotated[int, Field(ge=1, le=8)] = 4


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
    models: list[Name] = []
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
            if isinstance(system, DiffusionSystem) and system.model not in self.models:
                raise ValueError(
                    f"ensembles.systems: {system.name} samples the model {system.model!r}, "
                    f"which is not in the list `models` ({', '.join(self.models) or 'empty'})"
                )
            if isinstance(system, ReferenceSystem) and self.archive.reference is None:
                raise ValueError(
                    f"ensembles.systems: {system.name} is a reference ensemble, "
                    "but archive.reference is not set; set it to href"
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
        if self.archive.reference == "href":
            for init in self.initial_times():
                if init.hour % 6:
                    raise ValueError(
                        f"HREF has cycles at 00, 06, 12 and 18 UTC, but there is a case at {init}; "
                        "change periods.test.start or cases.every_hours"
                    )
        return self

    def initial_times(self) -> list[datetime]:
        """The initial time of each case whose leads all lie in the test period."""
        test = self.periods.test
        last = test.end - hours(max(self.leads))
        return list(hourly(test.start, last, self.cases.every_hours))

    def baselines(self) -> list[str]:
        """The names of the systems that any model must beat."""
        systems = self.ensembles.systems
        return [system.name for system in systems if isinstance(system, BaselineSystem)]

    def members(self, system: System) -> int:
        """How many members a sampled system has."""
        return getattr(system, "members", None) or self.ensembles.members


def load_settings(config: dict[str, Any], origin: str = "the configuration") -> Settings:
    """Check a configuration as Snakemake hands it over.

    Raises StormdrawError with one line that names each wrong key and what was expected.
    """
    try:
        return Settings.model_validate(config)
    except ValidationError as error:
        raise StormdrawError(f"{origin}: {explain(error)}") from None


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


def explain(error: ValidationError) -> str:
    """Pydantic's findings in one line: `key: what is wrong; key: ...`."""
    findings = []
    for finding in error.errors():
        key = ".".join(str(part) for part in finding["loc"])
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key (see config/README.md for the known ones)"
        findings.append(f"{key}: {message}" if key else message)
    return "; ".join(findings)
