"""Which public archives have which models, and since when."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from stormdraw.archive.base_model import ALWAYS, base_models

# The first run in each archive, by Herbie's names of models and sources. NOMADS keeps the last two
# days. (REFS and RRFS are on AWS since they are on NOMADS.)
FIRST_RUNS: dict[str, Mapping[str, datetime]] = {
    "nam": {"aws": ALWAYS, "nomads": ALWAYS},
    "hiresw": {"nomads": ALWAYS},
    "href": {"nomads": ALWAYS},
    "rrfs": {"aws": datetime(2026, 8, 12), "nomads": ALWAYS},
    "refs": {"aws": datetime(2026, 8, 12), "nomads": ALWAYS},
    "urma": {"aws": ALWAYS, "nomads": ALWAYS},
    "rtma": {"aws": ALWAYS, "nomads": ALWAYS},
} | {model.name: model.first_runs for model in base_models()}


def first_run(model: str, sources: Iterable[str]) -> datetime | None:
    """The first run of a model that one of these sources may have; None if none has the model."""
    return min(
        (FIRST_RUNS[model][one] for one in sources if one in FIRST_RUNS[model]), default=None
    )
