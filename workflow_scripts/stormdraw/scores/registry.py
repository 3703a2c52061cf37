"""All scores, by the names of their files in `statistics/`."""

import functools
import importlib
import pkgutil

from stormdraw.scores import coverage, statistics
from stormdraw.scores.score import Length, Metric, Score, Sum

# The star puts all scores into the digest of every script that imports this module
# (`stormdraw.code_digest`).
_FILES = "stormdraw.scores.statistics.*"


@functools.cache
def scores() -> dict[str, Score]:
    """All scores by name, in the order of the page."""
    by_name: dict[str, Score] = {
        module.name: importlib.import_module(_FILES.replace("*", module.name)).SCORE
        for module in pkgutil.iter_modules(statistics.__path__)
    }
    return dict(sorted(by_name.items(), key=lambda item: (item[1].place, item[0])))


@functools.cache
def sums() -> dict[str, Sum]:
    """All sums and counts in a score file, without maps."""
    return coverage.SUMS | sums_of_scores()


def sums_of_scores() -> dict[str, Sum]:
    """The sums of all scores, without the counts of points and members."""
    return {name: own for score in scores().values() for name, own in score.sums.items()}


@functools.cache
def tables() -> set[str]:
    """The sums that hold more than one number per region."""
    return {name for name, own in sums().items() if own.dims != ("region",)}


@functools.cache
def tables_of_metrics() -> set[str]:
    """The tables that metrics are computed from; the others are only for diagrams."""
    return {name for name in tables() if not sums()[name].for_diagrams}


@functools.cache
def lengths() -> dict[str, Length]:
    """The length of each dimension that belongs to the sums of a single score."""
    return {dim: length for score in scores().values() for dim, length in score.lengths.items()}


@functools.cache
def map_sums() -> dict[str, str]:
    """The maps (variable, y, x) in a score file: descriptions by name."""
    descriptions = {}
    for score in scores().values():
        for name, (meaning, _) in score.maps.items():
            descriptions[f"{name}_sum"] = f"sum over leads of {meaning}"
            descriptions[f"{name}_leads"] = "number of leads at which the point counts"
    return descriptions


def metrics() -> dict[str, Metric]:
    """All metrics and skills by name, in the order of the page."""
    return {
        name: own
        for score in scores().values()
        for name, own in {**score.metrics, **score.skills}.items()
    }
