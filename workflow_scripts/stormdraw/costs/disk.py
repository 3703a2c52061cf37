"""How much disk a run takes, stage by stage."""

from collections.abc import Collection, Iterable, Mapping

from stormdraw.archive.wanted import FileRequest
from stormdraw.costs.fetching import fetching
from stormdraw.ensembles.system import AnySystem
from stormdraw.fields.expected_grid import target_shape
from stormdraw.report.winner import candidates
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# What is fetched, by source.
Files = Mapping[str, Collection[FileRequest]]

# Drawn ensembles up to this size stay without being asked for: a disk of today has room for them,
# and a score that is edited then needs no sampling.
_KEPT_BYTES = 100e9


def keeps_ensembles(settings: Settings) -> bool:
    """Whether ensembles stay once nothing needs them any more: as asked for, or if they are small.

    Small is a run whose drawn members of all cases take less than 100 GB together.
    """
    if settings.ensembles.keep is not None:
        return settings.ensembles.keep
    drawn = settings.ensembles.in_role("contender", "ceiling")
    return _bytes_of(settings, drawn, {}) < _KEPT_BYTES


def _bytes_of(settings: Settings, systems: Iterable[AnySystem], files: Files) -> int:
    """Bytes of the ensembles of all cases of some systems."""
    rows, columns = target_shape(settings)
    values = rows * columns * len(scored_variables(settings.variables))
    fetched = {source: len(found) for source, found in files.items()}
    return sum(one.bytes_a_value * values * one.states(settings, fetched) for one in systems)


def disk_bytes(settings: Settings, files: Files) -> dict[str, int]:
    """The most bytes that each stage's folder of results holds at once.

    Fields take 32 bits a value. Scores, models and reports are small beside these, but for maps of
    scores, and left out.
    """
    rows, columns = target_shape(settings)
    field = 4 * rows * columns
    state = field * len(settings.variables)
    member = field * len(scored_variables(settings.variables))
    ensembles = ensemble_bytes(settings, files)
    if not keeps_ensembles(settings):
        ensembles = _bytes_at_once(settings, ensembles, files)
    stored = sum(fetching(settings, found).bytes for found in files.values())
    maps = 0
    if settings.scores.maps:
        # Sums over leads in 32 bits, and their number in 8.
        maps = member * 5 // 4 * len(settings.initial_times()) * len(settings.ensembles.systems)
    return {
        # The simulated archive stays beside what is taken from it.
        "archive": stored * (2 if settings.archive.source == "simulated" else 1),
        "fields": state * sum(len(found) for source, found in files.items() if source != "static"),
        "ensembles": ensembles,
        "scores": maps,
    }


def ensemble_bytes(settings: Settings, files: Files) -> int:
    """Bytes of the ensembles of all systems and cases, whether they stay or go."""
    return _bytes_of(settings, settings.ensembles.systems, files)


def _bytes_at_once(settings: Settings, everything: int, files: Files) -> int:
    """What lies there of ensembles that go: two cases, one drawn while the other is scored.

    Where several systems may win, all cases of theirs wait until the winner is known.
    """
    two_cases = 2 * everything // len(settings.initial_times())
    names = candidates(settings)
    waiting = [settings.ensembles.system(name) for name in names] if len(names) > 1 else []
    return min(everything, two_cases + _bytes_of(settings, waiting, files))
