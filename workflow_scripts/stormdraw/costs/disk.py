"""How much disk a run takes, stage by stage."""

from collections.abc import Mapping, Sequence

from stormdraw.archive.wanted import FileRequest
from stormdraw.costs.fetching import fetching, target_shape
from stormdraw.ensembles.baseline import climatology_times
from stormdraw.ensembles.settings import BaselineSystem, ReferenceSystem, System
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import scored_variables

_OF_HRRR = ("hrrr", "static")

# Drawn ensembles up to this size stay without being asked for: a disk of today has room for them,
# and a score that is edited then needs no sampling.
_KEPT_BYTES = 100e9


def keeps_ensembles(settings: Settings) -> bool:
    """Whether ensembles stay once nothing needs them any more: as asked for, or if they are small.

    Small is a run whose drawn members of all cases take less than 100 GB together.
    """
    if settings.ensembles.keep is not None:
        return settings.ensembles.keep
    return drawn_bytes(settings) < _KEPT_BYTES


def drawn_bytes(settings: Settings) -> int:
    """Bytes of all ensembles whose members are drawn, in 16 bits a value."""
    rows, columns = target_shape(settings)
    states = sum(
        _states(settings, system)
        for system in settings.ensembles.systems
        if not isinstance(system, ReferenceSystem | BaselineSystem)
    )
    return 2 * rows * columns * len(scored_variables(settings.variables)) * states


def disk_bytes(settings: Settings, files: Mapping[str, Sequence[FileRequest]]) -> dict[str, int]:
    """Bytes of each stage's folder of results if all of them are kept; those of fields and of
    ensembles that are not drawn take 32 bits a value.

    Scores, models and reports are small beside these, but for maps of scores, and left out.
    """
    rows, columns = target_shape(settings)
    field = 4 * rows * columns
    state = field * len(settings.variables)
    member = field * len(scored_variables(settings.variables))
    reference = sum(len(found) for source, found in files.items() if source not in _OF_HRRR)
    baselines = sum(
        _states(settings, system)
        for system in settings.ensembles.systems
        if isinstance(system, BaselineSystem)
    )
    stored = sum(fetching(settings, found).bytes for found in files.values())
    maps = 0
    if settings.scores.maps:
        maps = member * len(settings.leads) * len(settings.initial_times())
        # Of each system on its own, and on the points that all of them have.
        maps *= 2 * len(settings.ensembles.systems)
    return {
        # The simulated archive stays beside what is taken from it.
        "archive": stored * (2 if settings.archive.source == "simulated" else 1),
        "fields": state * (len(files.get("hrrr", [])) + reference),
        "ensembles": drawn_bytes(settings) + member * (baselines + reference),
        "scores": maps,
    }


def _states(settings: Settings, system: System) -> int:
    """States (a member at a lead) in all files of a system; a reference has those it publishes."""
    cases = settings.initial_times()
    if isinstance(system, ReferenceSystem):
        return 0
    if not isinstance(system, BaselineSystem):
        return settings.members(system) * len(settings.leads) * len(cases)
    if system.kind in ("hrrr", "lagged"):
        return 0  # what is fetched for them is counted as forecasts are
    if system.kind == "persistence":
        return len(settings.leads) * len(cases)
    training = settings.periods.training.times()
    # Each lead has as many members as the lead that finds most.
    return sum(
        len(settings.leads)
        * max(
            len(climatology_times(training, init + hours(lead), system.window_hours))
            for lead in settings.leads
        )
        for init in cases
    )
