"""The section `forecast` of a configuration, and the cycles of a forecast."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stormdraw.section import Hour, Section

LATEST: Literal["latest"] = "latest"

Percentile = Annotated[int, Field(ge=1, le=99)]


class Place(Section):
    """A place that meteograms are of, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=360)]


class Forecast(Section):
    """What a forecast shows: `places` by name, and the leads of its maps in hours, by default six
    of the run's. Hours up to each of `first_leads` are drawn and shown before the later ones. With
    `zarr`, products are in a Zarr store as well. `keep_days` is how many days a cycle is kept
    after, by default for ever."""

    places: dict[str, Place] = {}
    map_leads: list[Annotated[int, Field(ge=1)]] = []
    first_leads: list[int] = []
    zarr: bool = False
    keep_days: Annotated[int, Field(ge=1)] | None = None


def _as_list(given: Any) -> Any:
    if given == LATEST:
        raise ValueError(f"{LATEST} is found by Snakemake only; here, give a time")
    return given if isinstance(given, list) else [given]


# Initial times, or `latest`, of which Snakemake makes a time (`forecasts.configuration`).
Cycles = Annotated[
    list[Hour],
    BeforeValidator(_as_list, json_schema_input_type=Literal["latest"] | Hour | list[Hour]),
]
