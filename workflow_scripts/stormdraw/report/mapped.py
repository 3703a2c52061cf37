"""What the maps show: systems, variable, leads and members."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stormdraw.report.mapped_case import MappedCase, Wanted
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import Settings

# At most this many leads are shown, so that the page stays small enough to be sent by mail.
_MOST_FRAMES = 8
# At least this many members are kept for maps. Once an ensemble is deleted, a configuration that
# shows more members could not get them without drawing the ensemble again.
_MEMBERS = 8


def mapped_systems(settings: Settings) -> list[str]:
    """The systems the maps show: the first that samples a model, and the reference.

    Without such a system, the first one that is not the reference takes its place.
    """
    names = [system.name for system in settings.ensembles.systems]
    by_model = [system.name for system in settings.ensembles.systems if system.by_model]
    reference = settings.scores.reference
    others = [name for name in names if name != reference]
    shown = (by_model or others or names)[:1]
    return [*shown, reference] if reference is not None and reference not in shown else shown


def mapped_variable(settings: Settings) -> str:
    """The variable the maps show: reflectivity if the run has it, else temperature."""
    for name in ("REFC", "T2M"):
        if name in settings.variables:
            return name
    return str(settings.variables[0])


def chosen_leads(leads: Sequence[int], most: int = _MOST_FRAMES) -> list[int]:
    """The leads that are shown: all of them, or `most` evenly spaced from first to last."""
    if len(leads) <= most:
        return list(leads)
    places = np.linspace(0, len(leads) - 1, most).round().astype(int)
    return [leads[place] for place in places]


def threshold_of(settings: Settings, name: str) -> Threshold | None:
    """The threshold whose probability is mapped: the middle one of those that are values."""
    thresholds = settings.scores.fixed_thresholds(name)
    return thresholds[len(thresholds) // 2] if thresholds else None


def cases_to_show(settings: Settings, maps: Mapping[str, Path]) -> tuple[list[MappedCase], str]:
    """The cases of `mapped_systems`, or the reason why there is none to show."""
    shown = [MappedCase(maps[name]) for name in mapped_systems(settings) if name in maps]
    gaps = [case.gap for case in shown if case.gap]
    if not shown:
        return [], "No system has an ensemble to show."
    if not gaps and len({case.init for case in shown}) > 1:
        gaps = ["The systems have no case in common."]
    return ([], gaps[0]) if gaps else (shown, "")


def wanted_for_maps(settings: Settings) -> Wanted:
    """What to extract from an ensemble for maps."""
    name = mapped_variable(settings)
    threshold = threshold_of(settings, name)
    return Wanted(
        variable=name,
        leads=chosen_leads(settings.leads),
        members=max(_MEMBERS, settings.report.map_members, settings.report.sheet_members),
        threshold=None if threshold is None else threshold.given,
        initial=(*settings.roles.predicted, *settings.roles.input),
    )
