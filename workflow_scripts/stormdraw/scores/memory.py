"""How much memory scoring takes, from the configuration alone."""

import math
from collections.abc import Collection

from stormdraw.scores import registry
from stormdraw.scores.score import Sum
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# Python, its libraries and compiled loops.
_PROCESS_BYTES = 500_000_000

# Bytes at each point, most in double precision: of sums over fields, beside the members; for each
# region, its weights; for each variable, each of its maps over leads.
_SUMS_OF_FIELDS = 116
_EACH_REGION = 18
_EACH_MAP = 5
# Masks of the points that count.
_MASKS = 3

# What xarray holds beside the numbers of each sum of a case while a system is read.
_READ_BYTES = 2000

# A row of a table of scores, as Python holds it before the table is made, and in the table.
_ROW_BYTES, _TABLE_ROW_BYTES = 600, 160

# Arrays (resample, lead) of a score while its interval is made.
_RESAMPLED = 18


def case_megabytes(settings: Settings, members: int) -> int:
    """What to ask for to score a case of a system, see `case_bytes`."""
    return _megabytes(_PROCESS_BYTES + case_bytes(settings, members))


def summary_megabytes(settings: Settings, members: Collection[int]) -> int:
    """What to ask for to sum up all cases, see `summary_bytes`."""
    return _megabytes(_PROCESS_BYTES + summary_bytes(settings, members))


def points_megabytes(settings: Settings, members: Collection[int]) -> int:
    """What to ask for to find the points that all of such ensembles have, see `points_bytes`."""
    return _megabytes(_PROCESS_BYTES + points_bytes(settings, members))


def products_megabytes(settings: Settings, members: int) -> int:
    """What to ask for to make products: two blocks of members (member, y, x) and sums of them."""
    each = 8 * members + _SUMS_OF_FIELDS
    return _megabytes(_PROCESS_BYTES + each * _points(settings))


def case_bytes(settings: Settings, members: int) -> int:
    """The most that scoring a case takes beside the process, with so many members in the file.

    0 members are a mean and spread. There are the members (member, y, x) of one variable at one
    lead, and as many more as its scores hold. One field of the truth is held, and one mask of the
    points that all systems are compared on.
    """
    thresholds, scored = _thresholds(settings), scored_variables(settings.variables)
    copies = max(
        score.copies
        for score in registry.scores().values()
        if (thresholds or not score.event) and ("WIND10" in scored or not score.wind)
    )
    # A mean and spread are two fields.
    blocks = (1 + copies) * 4 * (members or 2) + _SUMS_OF_FIELDS
    regions = _EACH_REGION * (1 + len(settings.scores.regions))
    maps = _EACH_MAP * len(scored) * len(registry.map_sums()) // 2 if settings.scores.maps else 0
    return (blocks + regions + maps + _MASKS) * _points(settings)


def points_bytes(settings: Settings, members: Collection[int]) -> int:
    """The most that finding common points takes beside the process, with so many members a file.

    The members (member, y, x) of one variable at one lead, or a mean and spread, with what they
    are unpacked in; then a bit for each point, variable and lead, and a byte of each mask.
    """
    fields = len(scored_variables(settings.variables)) * len(settings.leads)
    block = 4 * max(members, default=0) + _SUMS_OF_FIELDS
    return (block + math.ceil(fields * 9 / 8)) * _points(settings)


def summary_bytes(settings: Settings, members: Collection[int]) -> int:
    """The most that summing up takes beside the process, of systems with so many members each.

    The sums of all systems and cases are held, those of one system twice while they are read, and
    the tables of scores that are made. While another is made, its rows are held, and either the
    scores of a variable of all systems and its sums of one system, without each day and of each
    alone, and the resampled days; or a copy of the cases of an hour of the day. At the end all
    tables are joined.
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
    # Tables whose length is the number of members are summed a lead at a time.
    lengths = registry.lengths()
    by_size = [own for own in written if any(callable(lengths.get(dim)) for dim in own.dims)]
    at_once = [own for own in written if own not in by_size]
    largest = max(members)
    of_sums = weightings * (
        2 * leads * sum(_numbers(settings, own, largest) for own in at_once)
        + 2 * sum(_numbers(settings, own, largest) for own in by_size)
    )
    hours = {time.hour for time in settings.initial_times()}
    # All leads together at each valid hour of the day.
    blocks = leads * (1 + len(scores.regions) + len(hours)) + min(24, leads * len(hours))
    rows = variables * len(members) * of_a_variable
    tables = _TABLE_ROW_BYTES * rows * blocks
    of_an_hour = sum(loaded) + max(loaded)
    making = max(of_scores + of_sums + resampled, of_an_hour) + _ROW_BYTES * rows * leads
    reading = max(loaded) + _READ_BYTES * len(settings.initial_times()) * len(registry.sums())
    return tables + max(sum(loaded) + max(making, reading), 2 * tables)


def grid_points(settings: Settings) -> int:
    """Points of the grid; of a mirror whose files are crops, at most."""
    if settings.fields.crop is not None:
        bounds = (settings.fields.crop.rows, settings.fields.crop.columns)
    elif settings.archive.source == "simulated":
        bounds = (settings.archive.simulated.rows, settings.archive.simulated.columns)
    else:
        return settings.archive.base_model.points
    (first_row, last_row), (first_column, last_column) = bounds
    return (last_row - first_row) * (last_column - first_column)


def _points(settings: Settings) -> int:
    """Points of the target grid, whose blocks may be averages over several of the archive's."""
    return grid_points(settings) // settings.fields.coarsen**2


def _thresholds(settings: Settings) -> int:
    """The most thresholds of any variable."""
    scored = scored_variables(settings.variables)
    thresholds = settings.scores.thresholds
    return max((len(own) for name, own in thresholds.items() if name in scored), default=0)


def _numbers(settings: Settings, own: Sum, members: int) -> int:
    """How many numbers a sum is, of a variable at a lead of a case in one region."""
    known = registry.lengths() | {
        "region": 1,
        "threshold": _thresholds(settings),
        "neighbourhood": len(settings.scores.neighbourhoods),
    }
    lengths = [known[dim] for dim in own.dims]
    return math.prod(length(members) if callable(length) else length for length in lengths)


def _metrics(settings: Settings) -> int:
    """How many metrics a variable has at most."""
    scores = settings.scores
    counts = {name: len(values) for name, values in scores.parameters.items()}
    counts["threshold"] = _thresholds(settings)
    alone = sum(
        math.prod(counts[dim] for dim in metric.dims)
        for score in registry.scores().values()
        for metric in score.metrics.values()
    )
    # Of skills against a system there is one of each score.
    compared = sum(1 for score in registry.scores().values() if score.against)
    return alone + compared * len({scores.reference, *settings.baselines()} - {None})


def _megabytes(count: float) -> int:
    return int(count // 10**6) + 1
