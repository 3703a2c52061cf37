"""The names of the truth and the analysis of a run."""

from collections.abc import Sequence

from stormdraw.archive.wanted import truth_variables
from stormdraw.settings import Settings

# The names of `archive.truth`, where it is not the analysis.
TRUTH_NAMES = {
    "hrrr_f01": "HRRR 1 h forecast",
    "urma": "URMA analysis",
    "rtma": "RTMA analysis",
}


def analysis_name(settings: Settings) -> str:
    """The name of the states that a run learns from and starts from."""
    if settings.archive.source == "simulated":
        return "simulated analysis"
    lead = settings.archive.analysis_lead
    return f"HRRR {lead} h forecast, in place of its analysis" if lead else "HRRR analysis"


def truth_name(settings: Settings, variable: str) -> str:
    """The name of the truth of a variable of the state, or of the wind speed."""
    if variable == "WIND10":
        variable = "U10"
    if variable in truth_variables(settings):
        return TRUTH_NAMES.get(settings.archive.truth, analysis_name(settings))
    return analysis_name(settings)


def truth_sentences(settings: Settings) -> list[str]:
    """Sentences that name the truth of each variable, and which systems it favours."""
    by_name: dict[str, list[str]] = {}
    for variable in settings.variables:
        by_name.setdefault(truth_name(settings, variable), []).append(variable)
    return [
        f"The truth{_of(variables, settings)} is the {name}{_favours(name, settings)}."
        for name, variables in by_name.items()
    ]


def _of(variables: Sequence[str], settings: Settings) -> str:
    return "" if len(variables) == len(settings.variables) else f" of {', '.join(variables)}"


def _favours(name: str, settings: Settings) -> str:
    if settings.archive.source == "simulated":
        return ", from which the models learn"
    if name.startswith("HRRR"):
        return (
            ", not observations: it favours systems made from HRRR, which share its climate and "
            "its errors, over those that are not"
        )
    return ": a first guess from HRRR drawn to observations, which lie far apart in places"
