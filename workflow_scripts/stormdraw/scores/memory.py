"""Estimate the memory that scoring takes, from the configuration alone."""

import math
from collections.abc import Collection

from stormdraw.fields.expected_grid import archive_shape
from stormdraw.scores import registry
from stormdraw.scores.ensemble import READ_TOGETHER
from stormdraw.scores.score import Sum
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# Python, its libraries and compiled loops.
_PROCESS_BYTES = 500_000_000

# Bytes per grid point, mostly in double precision: sums over fields besides the members, the
# weights of each region, and each map over leads of each variable.
_SUMS_OF_FIELDS = 116
_EACH_REGION = 18
_EACH_MAP = 5
# Scores by other libraries: these with a part of an ensemble, and fields by cfgrib and PROJ.
_LIBRARIES_BYTES = 700_000_000
_OPINION_FIELDS = 200
# Masks of the points that count.
_MASKS = 3

# Bytes that xarray needs besides the numbers, for each sum of a case, while a system is read.
_READ_BYTES = 2000

# Bytes of a row of scores as a Python tuple, and in the finished table.
_ROW_BYTES, _TABLE_ROW_BYTES = 600, 160

# The number of arrays (resample, lead) while the interval of a score is computed.
_RESAMPLED = 18


def case_megabytes(settings: Settings, members: int) -> int:
    """The memory to request for scoring a case of a system, see `case_bytes`."""
    return _megabytes(_PROCESS_BYTES + case_bytes(settings, members))


def summary_megabytes(settings: Settings, members: Collection[int]) -> int:
    """The memory to request for summing up all cases, see `summary_bytes`."""
    return _megabytes(_PROCESS_BYTES + summary_bytes(settings, members))


def points_megabytes(settings: Settings, members: Collection[int]) -> int:
    """The memory to request for finding the common points of ensembles, see `points_bytes`."""
    return _megabytes(_PROCESS_BYTES + points_bytes(settings, members))


def products_megabytes(settings: Settings, members: int) -> int:
    """The memory to request for products: two blocks of members (member, y, x) and their sums."""
    each = 8 * members + _SUMS_OF_FIELDS
    return _megabytes(_PROCESS_BYTES + each * _points(settings))


def stations_megabytes(settings: Settings) -> int:
    """The memory to request for scoring a case at stations: some members (member, y, x) at once.

    What is at stations is small beside the grid: a hundred members at 5,000 stations are 2 MB.
    """
    return _megabytes(_PROCESS_BYTES + (8 * READ_TOGETHER + _SUMS_OF_FIELDS) * _points(settings))


def second_opinion_megabytes(settings: Settings) -> int:
    """The memory to request for scoring a case by other libraries, whatever its members.

    They score a part of the grid at a time. In memory are fields of the truth with their degrees,
    areas, random numbers and masks.
    """
    return _megabytes(_LIBRARIES_BYTES + _OPINION_FIELDS * _points(settings))


def case_bytes(settings: Settings, members: int) -> int:
    """The most bytes that scoring a case takes besides the process, for a file of `members`.

    0 members mean mean and spread. In memory are the members (member, y, x) of one variable at one
    lead, the copies that its scores make, one field of the truth and the mask of common points.
    """
    thresholds, scored = _thresholds(settings), scored_variables(settings.variables)
    scores = settings.scores
    copies = max(
        score.copies
        for score in registry.scores().values()
        if (thresholds or not score.event) and ("WIND10" in scored or not score.wind)
    )
    # Mean and spread are two fields.
    blocks = (1 + copies) * 4 * (members or 2) + _SUMS_OF_FIELDS
    regions = _EACH_REGION * (1 + len(scores.regions))
    maps = _EACH_MAP * len(scored) * len(registry.map_sums()) // 2 if scores.maps else 0
    # Only one variable's percentiles are in memory at a time.
    percentiles = 4 * max(map(len, scores.percentiles.values()), default=0)
    return (blocks + regions + maps + percentiles + _MASKS) * _points(settings)


def points_bytes(settings: Settings, members: Collection[int]) -> int:
    """The most bytes that finding common points takes besides the process, for these files.

    In memory are the members (member, y, x) of one variable at one lead, or mean and spread, with
    the buffers to unpack them; then a bit and a byte for each point, variable and lead.
    """
    fields = len(scored_variables(settings.variables)) * len(settings.leads)
    block = 4 * max(members, default=0) + _SUMS_OF_FIELDS
    return (block + math.ceil(fields * 9 / 8)) * _points(settings)


def summary_bytes(settings: Settings, members: Collection[int]) -> int:
    """The most bytes that summing up takes besides the process, for systems of these sizes.

    In memory are the sums of all systems and cases (those of one system twice while they are read)
    and the finished tables of scores. While another table is made, its rows are added, and either
    the scores of one variable of all systems with the sums of one system (leaving out each day, and
    of each day alone) and the resampled days, or a copy of the cases of one hour of the day. At
    the end all tables are concatenated.
    """
    scores, leads = settings.scores, len(settings.leads)
    variables = len(scored_variables(settings.variables))
    fields = variables * leads * len(settings.initial_times())
    for_metrics = registry.tables_of_metrics()
    written = [
        own
        for name, own in registry.sums().items()
        if own.dims == ("region",) or name in for_metrics
    ]
    loaded = [
        8 * fields * sum(_numbers(settings, own, size) for own in written) for size in members
    ]
    of_a_variable = _metrics(settings)
    days = len({time.date() for time in settings.initial_times()})
    weightings = 8 * (1 + 2 * days)
    resampled = 8 * scores.bootstrap_samples * (days + _RESAMPLED * leads)
    of_scores = weightings * leads * of_a_variable * len(members)
    # Tables whose length depends on the number of members are summed one lead at a time.
    lengths = registry.lengths()
    by_size = [own for own in written if any(callable(lengths.get(dim)) for dim in own.dims)]
    at_once = [own for own in written if own not in by_size]
    largest = max(members)
    of_sums = weightings * (
        2 * leads * sum(_numbers(settings, own, largest) for own in at_once)
        + 2 * sum(_numbers(settings, own, largest) for own in by_size)
    )
    hours = {time.hour for time in settings.initial_times()}
    # The last term counts valid hours, each of which combines all leads.
    blocks = leads * (1 + len(scores.regions) + len(hours)) + min(24, leads * len(hours))
    rows = variables * len(members) * of_a_variable
    tables = _TABLE_ROW_BYTES * rows * blocks
    of_an_hour = sum(loaded) + max(loaded)
    making = max(of_scores + of_sums + resampled, of_an_hour) + _ROW_BYTES * rows * leads
    reading = max(loaded) + _READ_BYTES * len(settings.initial_times()) * len(registry.sums())
    return tables + max(sum(loaded) + max(making, reading), 2 * tables)


def grid_points(settings: Settings) -> int:
    """The number of points of the archive's grid; an upper bound if a mirror holds crops."""
    if settings.fields.crop is not None:
        bounds = (settings.fields.crop.rows, settings.fields.crop.columns)
    elif settings.simulated:
        bounds = (settings.archive.simulated.rows, settings.archive.simulated.columns)
    else:
        rows, columns = archive_shape(settings)
        return rows * columns if not settings.uses_archive else settings.archive.base_model.points
    (first_row, last_row), (first_column, last_column) = bounds
    return (last_row - first_row) * (last_column - first_column)


def _points(settings: Settings) -> int:
    """The number of points of the target grid, which may consist of block averages."""
    return grid_points(settings) // settings.fields.coarsen**2


def _thresholds(settings: Settings) -> int:
    """The largest number of thresholds of any variable."""
    scored = scored_variables(settings.variables)
    thresholds = settings.scores.thresholds
    return max((len(own) for name, own in thresholds.items() if name in scored), default=0)


def _numbers(settings: Settings, own: Sum, members: int) -> int:
    """The number of values in a sum of one variable at one lead of a case in one region."""
    known = registry.lengths() | {
        "region": 1,
        "threshold": _thresholds(settings),
        "neighbourhood": len(settings.scores.neighbourhoods),
    }
    lengths = [known[dim] for dim in own.dims]
    return math.prod(length(members) if callable(length) else length for length in lengths)


def _metrics(settings: Settings) -> int:
    """The largest number of metrics of a variable."""
    scores = settings.scores
    counts = {name: len(values) for name, values in scores.parameters.items()}
    counts["threshold"] = _thresholds(settings)
    alone = sum(
        math.prod(counts[dim] for dim in metric.dims)
        for score in registry.scores().values()
        for metric in score.metrics.values()
    )
    # Each score has one skill against each of the other systems.
    compared = sum(1 for score in registry.scores().values() if score.against)
    return alone + compared * len({scores.reference, *settings.baselines()} - {None})


def _megabytes(count: float) -> int:
    return int(count // 10**6) + 1
