"""The limits of the page's numbers: those of this run, then those of every run."""

import pandas as pd

from stormdraw.archive.truth_names import truth_sentences
from stormdraw.archive.wanted import has_members
from stormdraw.report.summary import cases_in, variables_in
from stormdraw.report.wording import counted, plural
from stormdraw.settings import Settings

# With fewer cases, a few unusual days decide a score.
_FEW_CASES = 30


def banner(settings: Settings, summary: pd.DataFrame, verdicts: pd.DataFrame | None) -> list[str]:
    """Short sentences on what limits the verdict most. The page shows them above every number."""
    sentences = []
    if settings.simulated:
        sentences.append("Simulated archive: these scores say nothing about real weather.")
    if len(summary):
        cases, days = counted(cases_in(summary), "case"), _days(verdicts)
        few = ", too few to support a decision" if max(cases_in(summary)) < _FEW_CASES else ""
        sentences.append(f"{cases}{days}{few}.")
    return [*sentences, *truth_sentences(settings)]


def _days(verdicts: pd.DataFrame | None) -> str:
    if verdicts is None or verdicts.empty:
        return ""
    return f" on {plural(int(verdicts['days'].max()), 'day')}"


def limits(settings: Settings, summary: pd.DataFrame) -> list[str]:
    """All known limits as sentences, those of this run first."""
    sentences = []
    if settings.simulated:
        sentences.append(
            "The archive is simulated: a stochastic toy atmosphere on part of the grid of "
            f"{settings.archive.base_model.title}. The scores show that the workflow runs and how "
            "well each model learns this atmosphere. They say nothing about real weather."
        )
    reference = settings.scores.reference
    if reference is None:
        sentences.append("No reference is set (scores.reference), so no skill is computed.")
    of_reference = set(summary.loc[summary["system"] == reference, "variable"])
    missing = [name for name in variables_in(summary, settings) if name not in of_reference]
    if reference is not None and missing:
        sentences.append(
            f"The reference {reference} has no {', '.join(missing)}, so no skill is computed there."
        )
    if "REFC" not in settings.variables:
        sentences.append("This run has no reflectivity (REFC): storms are not scored.")
    if len(summary) and max(cases_in(summary)) < _FEW_CASES:
        without = summary[["ci_low", "ci_high"]].dropna().empty
        intervals = ", on too few days for confidence intervals" if without else ""
        sentences.append(
            f"The scores rest on only {counted(cases_in(summary), 'case')}{intervals}: small "
            "differences may be due to chance."
        )
    if settings.archive.analysis_lead:
        sentences.append(
            f"{settings.archive.analysis_lead} h forecasts replace the analysis: initial states, "
            "training data and truth all contain their errors."
        )
    caveats = (system.caveat(settings) for system in settings.ensembles.systems)
    sentences += dict.fromkeys(caveat for caveat in caveats if caveat is not None)
    if settings.archive.exclude:
        hours = plural(len(settings.archive.exclude), "hour")
        sentences.append(f"archive.exclude removes {hours} for every system.")
    if settings.archive.missing != "fail":
        sentences.append(
            "Hours and forecasts that no source of the archive holds intact are left out for every "
            "system"
            + (
                "; a forecast of up to six hours replaces a missing analysis where there is one."
                if settings.archive.missing == "older_run"
                else "."
            )
        )
    ensembles = dict.fromkeys(
        _display_name(settings, need.source)
        for need in settings.needs()
        if has_members(settings, need.source)
    )
    if ensembles:
        sentences.append(
            f"Individual members of {' and '.join(ensembles)} may be absent. The ensemble is then "
            "smaller, and archive.missing_limit does not count them."
        )
    return [*sentences, *truth_sentences(settings), *_ALWAYS]


def _display_name(settings: Settings, source: str) -> str:
    base = settings.archive.base_model
    return f"the lagged {base.title}" if source == base.lagged_source else source.upper()


_ALWAYS = (
    "CRPS and RMSE compare point by point: a misplaced storm is penalised twice, and smooth "
    "forecasts gain. The fractions skill score and the spectra of each variable show this.",
    "Neighbouring points and consecutive hours are not independent: only more days, not more "
    "points, make a score more certain.",
)
