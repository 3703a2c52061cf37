"""The section `archive` of a configuration."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from stormdraw.archive.base_model import BaseModel, base_model, base_model_names, usual_base_model
from stormdraw.archive.driving_registry import driving_models
from stormdraw.archive.stations.settings import Stations
from stormdraw.archive.truth import Truth, truth, truth_names
from stormdraw.archive.truths.external import ExternalTruth, InFiles
from stormdraw.section import Hour, Section
from stormdraw.simulated.base import SIMULATED_MODEL
from stormdraw.variables import ScoredName, StateName, other_components, require_pairs


class Mirror(Section):
    """A folder or an http URL laid out like the public bucket."""

    mirror: str


class SimulatedArchive(Section):
    """The simulated world: its place on the base model's grid, and its spin-up.

    For forecasts, `since` is its first hour (of a study, its first period begins then), `now` the
    time by its clock, and `late` says by how many hours the files of a run come later than usual.
    """

    rows: tuple[int, int] = (480, 577)
    columns: tuple[int, int] = (880, 1011)
    spin_up_hours: Annotated[int, Field(ge=0)] = 24
    since: Hour | None = None
    now: Hour | None = None
    late: dict[Hour, Annotated[int, Field(ge=0)]] = {}

    @field_validator("rows", "columns")
    @classmethod
    def _within_the_grid(
        cls, bounds: tuple[int, int], validated: ValidationInfo
    ) -> tuple[int, int]:
        simulated = base_model(SIMULATED_MODEL)
        rows, columns = simulated.grid.shape
        points = rows if validated.field_name == "rows" else columns
        if not 0 <= bounds[0] < bounds[1] - 1 < points:
            raise ValueError(
                f"{list(bounds)} must be [first, end) with two points or more of "
                f"{simulated.title}'s {points} {validated.field_name}"
            )
        return bounds


Reference = Literal["href", "refs"]

# The part of the world that the reference ensembles cover.
_COVERED = "conus"

if TYPE_CHECKING:
    ModelName = str
    TruthName = str
else:
    ModelName = Literal[base_model_names()]
    TruthName = Literal[truth_names()]

# Of the variables that the others do not name.
_DEFAULT: Literal["default"] = "default"

HerbieSource = Literal["aws", "google", "azure", "nomads"]


def _kind_of_source(source: Any) -> str | None:
    if isinstance(source, list):
        return "list"
    return "folder" if isinstance(source, dict | Mirror) else source


Source = Annotated[
    Annotated[Literal["simulated"], Tag("simulated")]
    | Annotated[list[HerbieSource], Tag("list")]
    | Annotated[Mirror, Tag("folder")],
    Discriminator(
        _kind_of_source,
        custom_error_type="source",
        custom_error_message="expected simulated, a list of aws, google, azure and nomads, "
        "or {mirror: <a folder or an http address>}",
    ),
]


class Driving(Section):
    """The model whose forecasts drive ours, and its fields.

    A cycle counts as published `latency_hours` after its time. Without `variables`, those that the
    class of the model names.
    """

    model: Literal[driving_models()]  # type: ignore[valid-type]
    latency_hours: Annotated[int, Field(ge=0, le=48)] = 5
    variables: list[StateName] = []

    @field_validator("variables")
    @classmethod
    def _once_and_in_pairs(cls, names: list[str]) -> list[str]:
        if len(set(names)) != len(names):
            raise ValueError(f"give each variable once: {', '.join(names)}")
        require_pairs(names)
        return names


_NAME: TypeAdapter[str] = TypeAdapter(TruthName)


def _named_or_in_files(given: Any, _: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(given, Mapping | InFiles):
        return InFiles.model_validate(given)
    return _NAME.validate_python(given)


# The name of a truth, or files of one's own.
GivenTruth = Annotated[TruthName | InFiles, WrapValidator(_named_or_in_files)]


def _by_variable(given: Any, other_keys: Mapping[str, Any]) -> Any:
    """`archive.truth` by variable, with a default: a single word, or `external`, is that of all."""
    if not isinstance(given, Mapping):
        return {_DEFAULT: given}
    of_all = other_keys.get("model", usual_base_model())
    if "external" in given:
        of_all = {"external": given["external"]}
    return {_DEFAULT: of_all, **{name: one for name, one in given.items() if name != "external"}}


def _truth(given: str | InFiles) -> Truth:
    return truth(given) if isinstance(given, str) else ExternalTruth(given.external)


class Archive(Section):
    """Where GRIB comes from, of which model, and what counts as the analysis."""

    model: ModelName = usual_base_model()
    source: Source = "simulated"
    connections: Annotated[int, Field(ge=1, le=32)] = 4
    missing: Literal["fail", "skip", "older_run"] = "fail"
    missing_limit: Annotated[float, Field(ge=0, le=1)] = 0.05
    exclude: list[Hour] = []
    analysis_lead: Annotated[int, Field(ge=0, le=1)] = 0
    truth: dict[Literal["default"] | ScoredName, GivenTruth] = Field(
        default_factory=lambda given: _by_variable({}, given)
    )
    truth_tolerance_minutes: Annotated[int, Field(ge=1, le=30)] = 3
    reference: Reference | None = None
    driving: Driving | None = None
    stations: Stations | None = None
    simulated: SimulatedArchive = SimulatedArchive()

    @field_validator("source")
    @classmethod
    def _not_empty(cls, source: Any) -> Any:
        if source == []:
            raise ValueError("give at least one of aws, google, azure, nomads")
        if isinstance(source, list) and len(set(source)) < len(source):
            raise ValueError(f"give each source once: {', '.join(source)}")
        return source

    @field_validator(
        "truth",
        mode="before",
        json_schema_input_type=TruthName | InFiles | dict[str, TruthName | InFiles],
    )
    @classmethod
    def _truth_by_variable(cls, given: Any, validated: ValidationInfo) -> Any:
        return _by_variable(given, validated.data)

    @field_validator("truth")
    @classmethod
    def _winds_have_one_truth(cls, by_variable: dict[str, Any]) -> dict[str, Any]:
        for name, other in other_components().items():
            if by_variable.get(name) != by_variable.get(other):
                raise ValueError(
                    f"give {name} and {other} one truth: a wind is rotated between grids as a pair"
                )
        return by_variable

    @model_validator(mode="after")
    def _simulated_analysis(self) -> "Archive":
        if self.source == "simulated" and self.analysis_lead != 0:
            raise ValueError(
                "the simulated archive has analyses for every hour, forecasts for cases only; set "
                "analysis_lead to 0"
            )
        lacking = [one.name for one in self.truths if not one.simulated]
        if self.source == "simulated" and lacking:
            raise ValueError(
                f"the simulated archive has no {' or '.join(lacking)}; leave truth out"
            )
        if self.source == "simulated" and self.model != SIMULATED_MODEL:
            raise ValueError(
                f"the simulated archive is of {SIMULATED_MODEL} and has no {self.model}; set model "
                f"to {SIMULATED_MODEL}, or source to an archive that has it"
            )
        return self

    @model_validator(mode="after")
    def _truth_is_there(self) -> "Archive":
        possible = [name for name in truth_names() if truth(name).fits(self.base_model)]
        for one in self.truths:
            if not one.fits(self.base_model):
                raise ValueError(
                    f"truth is {one.name}, which there is not with model: {self.model}; take "
                    f"{' or '.join(possible)}"
                )
        for name, given in self.truth.items():
            one = _truth(given)
            if name != _DEFAULT and not one.has(name):
                raise ValueError(
                    f"truth.{name} is {one.name}, which has {', '.join(one.variables)} "
                    f"and no {name}; take another truth for it"
                )
        return self

    @model_validator(mode="after")
    def _reference_covers_the_model(self) -> "Archive":
        base = self.base_model
        if self.reference is not None and base.region != _COVERED:
            raise ValueError(
                f"reference is {self.reference}, whose members cover {_COVERED}, and {base.title} "
                f"covers {base.region}; leave reference out"
            )
        return self

    @property
    def base_model(self) -> BaseModel:
        """The model whose analyses are the states."""
        return base_model(self.model)

    @property
    def truths(self) -> list[Truth]:
        """All that forecasts are compared with, each once."""
        return list({str(given): _truth(given) for given in self.truth.values()}.values())

    @property
    def default_truth(self) -> Truth:
        """The truth of the variables that `truth` does not name."""
        return _truth(self.truth[_DEFAULT])

    @property
    def truth_is_analysis(self) -> bool:
        """Whether forecasts are compared with nothing but the states that models learn from."""
        return all(one.is_analysis for one in self.truths)

    def truth_of(self, name: str) -> Truth:
        """The truth of a variable: the analyses, if the default lacks it."""
        chosen = _truth(self.truth.get(name, self.truth[_DEFAULT]))
        return chosen if chosen.has(name) else truth(self.model)

    def state_run(self, valid: datetime, shortest_lead: int = 0) -> tuple[datetime, int]:
        """The start and lead in hours of the file that is the state at a time.

        `shortest_lead` is that at which a variable has a value.
        """
        return self.base_model.state_run(valid, max(self.analysis_lead, shortest_lead))

    def hours_may_be_absent(self) -> bool:
        """Whether a run continues without some of its hours."""
        return self.missing != "fail" or bool(self.exclude)

    def over_the_network(self) -> bool:
        """Whether files come from other machines."""
        if isinstance(self.source, Mirror):
            return self.source.mirror.lower().startswith(("http://", "https://"))
        return self.source != "simulated"
