"""Which public archives have which models, and since when."""

from collections.abc import Iterable
from datetime import datetime

# The first run in each archive, by Herbie's names of models and sources. NOMADS keeps the last two
# days. (Herbie's pages on HRRR; REFS and RRFS are on AWS since they became operational.)
_ALWAYS = datetime.min
FIRST_RUNS: dict[str, dict[str, datetime]] = {
    "hrrr": {
        "aws": datetime(2014, 7, 30),
        "google": datetime(2014, 7, 30),
        "azure": datetime(2021, 3, 21),
        "nomads": _ALWAYS,
    },
    "nam": {"aws": _ALWAYS, "nomads": _ALWAYS},
    "hiresw": {"nomads": _ALWAYS},
    "href": {"nomads": _ALWAYS},
    "rrfs": {"aws": datetime(2026, 8, 12), "nomads": _ALWAYS},
    "refs": {"aws": datetime(2026, 8, 12), "nomads": _ALWAYS},
    "urma": {"aws": _ALWAYS, "nomads": _ALWAYS},
    "rtma": {"aws": _ALWAYS, "nomads": _ALWAYS},
}


def first_run(model: str, sources: Iterable[str]) -> datetime | None:
    """The first run of a model that one of these sources may have; None if none has the model."""
    return min(
        (FIRST_RUNS[model][one] for one in sources if one in FIRST_RUNS[model]), default=None
    )
