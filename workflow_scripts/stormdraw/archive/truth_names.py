"""The names of the truth and the analysis of a run."""

from collections.abc import Sequence

from stormdraw.archive.settings import MESOSCALE_TRUTHS
from stormdraw.archive.wanted import truth_variables
from stormdraw.settings import Settings
from stormdraw.variables import variable


def analysis_name(settings: Settings) -> str:
    """The name of the states that a run learns from and starts from."""
    if settings.archive.source == "simulated":
        return "simulated analysis"
    model, lead = settings.archive.base_model, settings.archive.analysis_lead
    if model.cycle_hours > 1:
        longest = lead + model.cycle_hours - 1
        return f"{model.title} analysis, or forecast of up to {longest} h between its runs"
    if lead:
        return f"{model.title} {lead} h forecast, in place of its analysis"
    return f"{model.title} analysis"


def own_truth_name(settings: Settings) -> str:
    """The name of `archive.truth`, whatever the variable."""
    if settings.archive.truth_is_analysis:
        return analysis_name(settings)
    if settings.archive.truth in MESOSCALE_TRUTHS:
        return f"{settings.archive.truth.upper()} analysis"
    return f"{settings.archive.base_model.title} 1 h forecast"


def truth_name(settings: Settings, name: str) -> str:
    """The name of the truth of a variable of the state, or of the wind speed."""
    if name == "WIND10":
        name = "U10"
    lead = variable(name).shortest_lead
    of_truth = name in truth_variables(settings)
    hour_ahead = of_truth and settings.archive.truth == settings.archive.base_model.hour_ahead
    usual = 1 if hour_ahead else settings.archive.analysis_lead
    if lead > usual and settings.archive.source != "simulated":
        return f"{settings.archive.base_model.title} {lead} h forecast"
    return own_truth_name(settings) if of_truth else analysis_name(settings)


def truth_sentences(settings: Settings) -> list[str]:
    """Sentences that name the truth of each variable, and which systems it favours."""
    by_name: dict[str, list[str]] = {}
    for name in settings.variables:
        by_name.setdefault(truth_name(settings, name), []).append(name)
    return [
        f"The truth{_of(variables, settings)} is the {name}{_favours(name, settings)}."
        for name, variables in by_name.items()
    ]


def _of(variables: Sequence[str], settings: Settings) -> str:
    return "" if len(variables) == len(settings.variables) else f" of {', '.join(variables)}"


def _favours(name: str, settings: Settings) -> str:
    if settings.archive.source == "simulated":
        return ", from which the models learn"
    title = settings.archive.base_model.title
    if name.startswith(title):
        return (
            f", not observations: it favours systems made from {title}, which share its climate "
            "and its errors, over those that are not"
        )
    return ": a first guess from HRRR drawn to observations, which lie far apart in places"
