"""What the page's numbers cannot say: the same for every run, and of this one."""

import pandas as pd

from stormdraw.archive.truth_names import truth_sentences
from stormdraw.archive.wanted import has_members
from stormdraw.report.summary import cases_in, variables_in
from stormdraw.report.wording import counted, plural
from stormdraw.settings import Settings

# With fewer cases than this a score is at the mercy of a few days.
_FEW_CASES = 30


def banner(settings: Settings, summary: pd.DataFrame, verdicts: pd.DataFrame | None) -> list[str]:
    """What limits the verdict most, in a few words each: to be read before any number."""
    found = []
    if settings.archive.source == "simulated":
        found.append("Simulated archive: nothing here is about real weather.")
    if len(summary):
        cases, days = counted(cases_in(summary), "case"), _days(verdicts)
        few = ", too few to rest a decision on" if max(cases_in(summary)) < _FEW_CASES else ""
        found.append(f"{cases}{days}{few}.")
    return [*found, *truth_sentences(settings)]


def _days(verdicts: pd.DataFrame | None) -> str:
    if verdicts is None or verdicts.empty:
        return ""
    return f" on {plural(int(verdicts['days'].max()), 'day')}"


def limits(settings: Settings, summary: pd.DataFrame) -> list[str]:
    """Sentences, those of this run first."""
    found = []
    if settings.archive.source == "simulated":
        found.append(
            "The archive is simulated: a stochastic toy world on a crop of "
            f"{settings.archive.base_model.title}'s grid. Its scores say that the workflow works "
            "and how well a model learns this world, and nothing about real weather."
        )
    reference = settings.scores.reference
    if reference is None:
        found.append("No reference is set (scores.reference), so there is no skill.")
    of_reference = set(summary.loc[summary["system"] == reference, "variable"])
    missing = [name for name in variables_in(summary, settings) if name not in of_reference]
    if reference is not None and missing:
        found.append(
            f"The reference {reference} lacks {', '.join(missing)}: there is no skill for it."
        )
    if "REFC" not in settings.variables:
        found.append("There is no reflectivity (REFC) in this run: storms are not scored.")
    if len(summary) and max(cases_in(summary)) < _FEW_CASES:
        without = summary[["ci_low", "ci_high"]].dropna().empty
        intervals = ", and too few days for intervals" if without else ""
        found.append(
            f"The scores rest on {counted(cases_in(summary), 'case')} only{intervals}: small "
            "differences may be chance."
        )
    if settings.archive.analysis_lead:
        found.append(
            f"{settings.archive.analysis_lead} h forecasts stand in for the analysis: their errors "
            "are in initial states, training and truth alike."
        )
    caveats = (system.caveat(settings) for system in settings.ensembles.systems)
    found += dict.fromkeys(caveat for caveat in caveats if caveat is not None)
    if settings.archive.exclude:
        found.append(
            f"{plural(len(settings.archive.exclude), 'hour')} named in archive.exclude are left "
            "out for all systems alike."
        )
    if settings.archive.missing != "fail":
        found.append(
            "Hours and forecasts that no source of the archive has without a fault are left out "
            "for all systems alike"
            + (
                "; an analysis is replaced by a forecast of up to six hours where there is one."
                if settings.archive.missing == "older_run"
                else "."
            )
        )
    several = dict.fromkeys(
        need.source for need in settings.needs() if has_members(settings, need.source)
    )
    if several:
        called = " and ".join(_called(settings, source) for source in several)
        found.append(
            f"Single members of {called} may be absent: they are missing in that ensemble, and "
            "archive.missing_limit does not count them."
        )
    return [*found, *truth_sentences(settings), *_ALWAYS]


def _called(settings: Settings, source: str) -> str:
    base = settings.archive.base_model
    return f"the lagged {base.title}" if source == base.lagged_source else source.upper()


_ALWAYS = (
    "CRPS and RMSE compare point by point: a storm in the wrong place counts twice, and blurred "
    "forecasts are flattered. Fractions skill and spectra, under each variable, see that.",
    "Neighbouring points and following hours are not independent: a large number of points does "
    "not make a score sure, only more days of weather do.",
)
