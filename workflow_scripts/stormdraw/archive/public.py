"""Which public archives have which models, and since when."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from stormdraw.archive.base_model import ALWAYS, base_models

# The first run in each archive, by Herbie's names of models and sources. NOMADS keeps the last two
# days. (REFS: its first whole cycle, by dynamical-org/reformatters issue 1069.)
FIRST_RUNS: dict[str, Mapping[str, datetime]] = {
    "nam": {"aws": ALWAYS, "nomads": ALWAYS},
    "hiresw": {"nomads": ALWAYS},
    "href": {"nomads": ALWAYS},
    "refs": {"aws": datetime(2026, 8, 13), "nomads": ALWAYS},
    # With files of 0.25 degree. Azure keeps the last month.
    "gfs": {
        "aws": datetime(2021, 1, 1),
        "google": datetime(2021, 1, 1),
        "azure": ALWAYS,
        "nomads": ALWAYS,
    },
    "gefs": {
        "aws": datetime(2020, 9, 23),
        "google": datetime(2021, 1, 1),
        "azure": ALWAYS,
        "nomads": ALWAYS,
    },
} | {model.name: model.first_runs for model in base_models()}


def first_run(model: str, sources: Iterable[str]) -> datetime | None:
    """The first run of a model that one of these sources may have; None if none has the model."""
    return earliest(FIRST_RUNS[model], sources)


def earliest(first_runs: Mapping[str, datetime], sources: Iterable[str]) -> datetime | None:
    """The earliest of some first runs by source, among these sources; None if none has any."""
    return min((first_runs[one] for one in sources if one in first_runs), default=None)
