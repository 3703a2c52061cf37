"""The disk space of a run, by stage."""

import math
from collections.abc import Collection, Iterable, Mapping

from stormdraw.archive.driving_needs import driving_variables
from stormdraw.archive.request import FileRequest
from stormdraw.costs.fetching import fetching, fetching_stations, states
from stormdraw.ensembles.export import NO_EXPORT
from stormdraw.ensembles.system import AnySystem
from stormdraw.fields.expected_grid import driving_points, target_shape
from stormdraw.report.candidates import candidates
from stormdraw.report.mapped import mapped_systems, wanted_for_maps
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# The fetched files by source.
Files = Mapping[str, Collection[FileRequest]]

# Drawn ensembles up to this size are kept by default: most disks have room for them, and a changed
# score then needs no sampling.
_KEPT_BYTES = 100e9

# What 32 bits become in the compact store: 0.18 of them in docs/benchmarks-fields.md.
_COMPACT = 0.2


def keeps_ensembles(settings: Settings) -> bool:
    """Whether ensembles are kept after use: as configured, or if they are small.

    They are small if the drawn members of all cases take less than 100 GB together.
    """
    if settings.ensembles.keep is not None:
        return settings.ensembles.keep
    drawn = settings.ensembles.in_role("contender", "ceiling")
    return _bytes_of(settings, drawn, {}) < _KEPT_BYTES


def _bytes_of(
    settings: Settings,
    systems: Iterable[AnySystem],
    files: Files,
    bytes_a_value: int | None = None,
) -> int:
    """Bytes of the ensembles of all cases of some systems; without a size of values, of NetCDF."""
    rows, columns = target_shape(settings)
    values = rows * columns * len(scored_variables(settings.variables))
    fetched = {source: states(settings, source, found) for source, found in files.items()}
    return sum(
        (bytes_a_value or one.bytes_a_value) * values * one.states(settings, fetched)
        for one in systems
    )


def disk_bytes(settings: Settings, files: Files) -> dict[str, int]:
    """The most bytes that each stage's folder of results holds at once.

    Fields take 32 bits per value, or a fifth of that in the compact store. Models, scores and
    reports are small and left out, except for maps and products. Exported ensembles count as if
    they were not compressed.
    """
    rows, columns = target_shape(settings)
    field = 4 * rows * columns
    cases = len(settings.initial_times())
    ensembles = ensemble_bytes(settings, files)
    if not keeps_ensembles(settings):
        # One case is drawn while the other is scored, and older ones may be waited for.
        held = 2 + _most_older_cases(settings)
        ensembles = min(ensembles, held * ensembles // len(settings.all_cases()))
    if settings.ensembles.export != NO_EXPORT:
        ensembles += _bytes_of(settings, settings.ensembles.systems, files, bytes_a_value=4)
    stored = sum(fetching(settings, found).bytes for found in files.values())
    if (reports := fetching_stations(settings)) is not None:
        stored += reports.bytes
    maps = 0
    if settings.scores.maps:
        # Sums over leads in 32 bits, and their counts in 8.
        scored = len(scored_variables(settings.variables))
        maps = field * scored * 5 // 4 * cases * len(settings.ensembles.systems)
    return {
        # The simulated archive is kept besides the messages taken from it.
        "archive": stored * (2 if settings.archive.source == "simulated" else 1),
        "fields": int(
            (_COMPACT if settings.fields.store == "compact" else 1)
            * sum(
                _bytes_of_a_state(settings, source) * states(settings, source, found)
                for source, found in files.items()
                if source != "static"
            )
        ),
        "ensembles": ensembles,
        "scores": maps,
        "report": field * (_mapped_fields(settings) + _product_fields(settings) * cases * 3 // 2),
    }


def _most_older_cases(settings: Settings) -> int:
    """How many cases before a case are kept for it at most, for systems made of older runs."""
    every = settings.all_cases()
    made = [system for system in settings.ensembles.systems if system.made_from is not None]
    counts = (
        sum(min(system.made_at(init)) <= time < init for time in every)
        for system in made
        for init in settings.initial_times()
    )
    return max(counts, default=0)


def _bytes_of_a_state(settings: Settings, source: str) -> int:
    """Bytes of all fields of one time of a source."""
    if source == "driving":
        return 4 * driving_points(settings) * len(driving_variables(settings))
    # Only the analyses have the fields that are inputs.
    names = settings.roles.every if source == settings.archive.model else settings.variables
    return 4 * math.prod(target_shape(settings)) * len(names)


def _mapped_fields(settings: Settings) -> int:
    """The number of fields taken from ensembles for maps."""
    wanted = wanted_for_maps(settings)
    kept = keeps_ensembles(settings)
    systems = mapped_systems(settings) if kept else settings.ensembles.systems
    # The truth, the mean, and the share of members with an event, if there is one.
    each = wanted.members + 2 + (wanted.threshold is not None)
    return each * len(wanted.leads) * len(systems)


def _product_fields(settings: Settings) -> int:
    """The number of fields of a case's products of all candidates."""
    # Here, since the kinds of products bring compiled loops along.
    from stormdraw.report.product import products_of

    each = sum(
        len(products_of(name, 1, settings.scores.fixed_thresholds(name)))
        for name in scored_variables(settings.variables)
    )
    return each * len(settings.leads) * len(candidates(settings))


def ensemble_bytes(settings: Settings, files: Files) -> int:
    """Bytes of the ensembles of all systems and cases, whether they are kept or not."""
    return _bytes_of(settings, settings.ensembles.systems, files)
