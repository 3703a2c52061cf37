"""The section `archive` of a configuration."""

from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from stormdraw.section import Hour, Section


class Mirror(Section):
    """A folder or an http URL laid out like the public bucket."""

    mirror: str


# The size of HRRR's grid, of which the simulated world is a part.
HRRR_POINTS = {"rows": 1059, "columns": 1799}


class SimulatedArchive(Section):
    """The simulated world: its place on the HRRR grid, and its spin-up."""

    rows: tuple[int, int] = (480, 577)
    columns: tuple[int, int] = (880, 1011)
    spin_up_hours: Annotated[int, Field(ge=0)] = 24

    @field_validator("rows", "columns")
    @classmethod
    def _within_the_grid(
        cls, bounds: tuple[int, int], validated: ValidationInfo
    ) -> tuple[int, int]:
        points = HRRR_POINTS[str(validated.field_name)]
        if not 0 <= bounds[0] < bounds[1] - 1 < points:
            raise ValueError(
                f"{list(bounds)} must be [first, end) with two points or more of HRRR's {points} "
                f"{validated.field_name}"
            )
        return bounds


Reference = Literal["href", "refs"]

Truth = Literal["hrrr", "hrrr_f01", "urma", "rtma"]

# URMA and RTMA analyse these variables of the state; the truth of the others is HRRR's.
MESOSCALE_ANALYSES = ("T2M", "D2M", "U10", "V10")

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


class Archive(Section):
    """Where GRIB comes from, and what counts as the analysis."""

    source: Source = "simulated"
    connections: Annotated[int, Field(ge=1, le=32)] = 4
    missing: Literal["fail", "skip", "older_run"] = "fail"
    missing_limit: Annotated[float, Field(ge=0, le=1)] = 0.05
    exclude: list[Hour] = []
    analysis_lead: Annotated[int, Field(ge=0, le=1)] = 0
    truth: Truth = "hrrr"
    reference: Reference | None = None
    simulated: SimulatedArchive = SimulatedArchive()

    @field_validator("source")
    @classmethod
    def _not_empty(cls, source: Any) -> Any:
        if source == []:
            raise ValueError("give at least one of aws, google, azure, nomads")
        if isinstance(source, list) and len(set(source)) < len(source):
            raise ValueError(f"give each source once: {', '.join(source)}")
        return source

    @model_validator(mode="after")
    def _simulated_analysis(self) -> "Archive":
        if self.source == "simulated" and self.analysis_lead != 0:
            raise ValueError(
                "the simulated archive has analyses for every hour, forecasts for cases only; set "
                "analysis_lead to 0"
            )
        if self.source == "simulated" and self.truth != "hrrr":
            raise ValueError(f"the simulated archive has no {self.truth}; set truth to hrrr")
        return self

    def hours_may_be_absent(self) -> bool:
        """Whether a run continues without some of its hours."""
        return self.missing != "fail" or bool(self.exclude)

    def over_the_network(self) -> bool:
        """Whether files come from other machines."""
        if isinstance(self.source, Mirror):
            return self.source.mirror.lower().startswith(("http://", "https://"))
        return self.source != "simulated"
