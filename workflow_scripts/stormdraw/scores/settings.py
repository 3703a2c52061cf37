"""The part `scores` of a configuration."""

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from stormdraw.scores.stations.settings import StationScores
from stormdraw.scores.threshold import GivenThreshold, Threshold, as_written
from stormdraw.section import Name, Section
from stormdraw.variables import ScoredName, usual_thresholds, variable

# The region that is always scored.
WHOLE_DOMAIN = "domain"


class Box(Section):
    """A region between two meridians and two parallels in degrees; western longitudes are negative.

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
        if self.west == self.east:
            raise ValueError(f"west and east are both {self.west}; give two meridians")
        return self

    @property
    def width(self) -> float:
        """Degrees from west eastwards to east."""
        return (self.east - self.west) % 360.0 or 360.0


class Outline(Section):
    """A region enclosed by polygons: a GeoJSON file or a shapefile, in degrees."""

    file: Annotated[str, Field(pattern=r"\.(geojson|json|shp)$")]


# GRIB2 numbers the thresholds of a variable in one octet (product definition template 4.5), in
# which 255 (all ones) means a missing value.
Thresholds = Annotated[list[GivenThreshold], Field(max_length=254)]


def _kind_of_region(region: Any) -> str:
    outlined = isinstance(region, Outline) or (isinstance(region, dict) and "file" in region)
    return "outline" if outlined else "box"


Region = Annotated[
    Annotated[Box, Tag("box")] | Annotated[Outline, Tag("outline")], Discriminator(_kind_of_region)
]


Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(gt=0, le=1), AfterValidator(as_written)]


class Scores(Section):
    """How systems are scored and compared."""

    reference: Name | None = None
    bootstrap_samples: Annotated[int, Field(ge=100, le=100_000)] = 2000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    equivalence: Annotated[float, Field(gt=0, lt=1)] = 0.02
    thresholds: dict[ScoredName, Thresholds] = Field(
        default_factory=usual_thresholds, validate_default=True
    )
    probabilities: list[Probability] = [0.1, 0.3, 0.5]
    neighbourhoods: Annotated[list[Count], Field(min_length=1)] = [1, 3, 9, 21, 41]
    local_patch: Count = 20
    variogram_lags: list[Count] = [1, 4]
    area_weights: bool = True
    maps: bool = True
    regions: dict[Name, Region] = {}
    stations: StationScores = Field(default_factory=StationScores)

    @field_validator("thresholds")
    @classmethod
    def _thresholds_differ(
        cls, thresholds: dict[str, list[Threshold]]
    ) -> dict[str, list[Threshold]]:
        for name, given in thresholds.items():
            row = variable(name)
            for own in given:
                if not (own.percentile or row.lower <= own.number <= row.upper):
                    raise ValueError(
                        f"{own.number:g} is outside the bounds of {name}, {row.lower:g} to "
                        f"{row.upper:g} {row.units}; choose a threshold within them"
                    )
        return {
            name: sorted(set(given), key=lambda own: own.order)
            for name, given in thresholds.items()
            if given
        }

    @field_validator("neighbourhoods")
    @classmethod
    def _odd_widths(cls, widths: list[int]) -> list[int]:
        for width in widths:
            if width % 2 == 0:
                raise ValueError(
                    f"{width} is even; a neighbourhood is centred on a point: give an odd width"
                )
        return sorted(set(widths))

    @field_validator("variogram_lags", "probabilities")
    @classmethod
    def _values_differ(cls, values: list[Any]) -> list[Any]:
        return sorted(set(values))

    def fixed_thresholds(self, name: str) -> list[Threshold]:
        """The thresholds of a variable that are values, not percentiles."""
        return [own for own in self.thresholds.get(name, []) if not own.percentile]

    @property
    def percentiles(self) -> dict[str, list[float]]:
        """The percentiles among the thresholds, ascending, by variable."""
        found = {
            name: sorted({own.number for own in given if own.percentile})
            for name, given in self.thresholds.items()
        }
        return {name: own for name, own in found.items() if own}

    @property
    def parameters(self) -> dict[str, list[float]]:
        """The parameters of metrics except the thresholds, which differ between variables."""
        return {"width": [*map(float, self.neighbourhoods)], "probability": self.probabilities}

    @field_validator("regions")
    @classmethod
    def _domain_is_taken(cls, regions: dict[str, Any]) -> dict[str, Any]:
        if WHOLE_DOMAIN in regions:
            raise ValueError(f"{WHOLE_DOMAIN!r} is reserved for the whole domain; choose another")
        return regions
