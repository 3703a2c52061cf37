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


def disk_bytes(settings: Settings, files: Mapping[str, Sequence[FileRequest]]) -> dict[str, int]:
    """Bytes of each stage's folder of results; fields and ensembles are not compressed.

    Scores, models and reports are small beside these, but for maps of scores, and left out.
    """
    rows, columns = target_shape(settings)
    field = 4 * rows * columns
    state = field * len(settings.variables)
    member = field * len(scored_variables(settings.variables))
    reference = sum(len(found) for source, found in files.items() if source not in _OF_HRRR)
    drawn = sum(_states(settings, system) for system in settings.ensembles.systems)
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
        "ensembles": member * (drawn + reference),
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
