"""The names of the truth and the analysis of a run."""

from collections.abc import Sequence

from stormdraw.archive.truth import Truth, truth
from stormdraw.settings import Settings
from stormdraw.variables import PARTS, scored_variables


def truth_name(settings: Settings, name: str) -> str:
    """The name of the truth of a variable of the state, or of the wind speed."""
    return _truth_of(settings, name).title(settings.archive, _of_state(settings, name))


def analysis_name(settings: Settings, name: str) -> str:
    """The name of the analysis of a variable, whatever its truth."""
    return truth(settings.archive.model).title(settings.archive, _of_state(settings, name))


def with_another_truth(settings: Settings) -> list[str]:
    """The scored variables of which the analysis is not the truth; none in a run without any."""
    if not settings.uses_archive:
        return []
    scored = scored_variables(list(settings.variables))
    return [name for name in scored if not _truth_of(settings, name).is_analysis]


def truth_sentences(settings: Settings) -> list[str]:
    """Sentences that name the truth of each variable, and which systems it favours."""
    by_sentence: dict[tuple[str, str], list[str]] = {}
    for name in settings.variables:
        favours = _truth_of(settings, name).favours(settings.archive)
        by_sentence.setdefault((truth_name(settings, name), favours), []).append(name)
    return [
        f"The truth{_of(variables, settings)} is the {name}{favours}."
        for (name, favours), variables in by_sentence.items()
    ]


def _of(variables: Sequence[str], settings: Settings) -> str:
    return "" if len(variables) == len(settings.variables) else f" of {', '.join(variables)}"


def _truth_of(settings: Settings, name: str) -> Truth:
    return settings.archive.truth_of(_of_state(settings, name))


def _of_state(settings: Settings, name: str) -> str:
    """The variable of the run that has the same truth: that of a component, for a wind speed."""
    return name if name in settings.variables else PARTS[name][0]
