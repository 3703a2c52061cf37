"""All scores there are, by the names of their files in `statistics/`."""

import functools
import importlib
import pkgutil

from stormdraw.scores import coverage, statistics
from stormdraw.scores.score import Length, Metric, Score, Sum

# With the star, all of them are in the digest of whatever asks here (`stormdraw.code_digest`).
_FILES = "stormdraw.scores.statistics.*"


@functools.cache
def scores() -> dict[str, Score]:
    """Every score by name, in the order of the page."""
    found: dict[str, Score] = {
        module.name: importlib.import_module(_FILES.replace("*", module.name)).SCORE
        for module in pkgutil.iter_modules(statistics.__path__)
    }
    return dict(sorted(found.items(), key=lambda item: (item[1].place, item[0])))


@functools.cache
def sums() -> dict[str, Sum]:
    """Everything that stands in a score file, but for maps."""
    return coverage.SUMS | sums_of_scores()


def sums_of_scores() -> dict[str, Sum]:
    """Everything but how many points and members count."""
    return {name: own for score in scores().values() for name, own in score.sums.items()}


@functools.cache
def tables() -> set[str]:
    """Those of the sums that are more than one number a region."""
    return {name for name, own in sums().items() if own.dims != ("region",)}


@functools.cache
def tables_of_metrics() -> set[str]:
    """Those of the tables that any metric is made of; the others are for diagrams."""
    return {name for name in tables() if not sums()[name].for_diagrams}


@functools.cache
def lengths() -> dict[str, Length]:
    """How long each dimension is that only the sums of one score have."""
    return {dim: length for score in scores().values() for dim, length in score.lengths.items()}


@functools.cache
def map_sums() -> dict[str, str]:
    """The maps in a score file (variable, y, x): what each is, by name."""
    found = {}
    for score in scores().values():
        for name, (meaning, _) in score.maps.items():
            found[f"{name}_sum"] = f"sum over leads of {meaning}"
            found[f"{name}_leads"] = "leads at which the point counts"
    return found


def metrics() -> dict[str, Metric]:
    """How each metric is read, by name, in the order of the page."""
    return {
        name: own
        for score in scores().values()
        for name, own in {**score.metrics, **score.skills}.items()
    }
