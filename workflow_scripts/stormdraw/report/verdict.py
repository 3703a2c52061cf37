"""The verdict in a few sentences: which system is best, by how much, and where it loses."""

import numpy as np
import pandas as pd

from stormdraw.report.matrix import contenders
from stormdraw.report.summary import leads_in, variables_in
from stormdraw.report.winner import comparable, mean_crps
from stormdraw.report.wording import plural, skill_text
from stormdraw.scores.intervals import confidence_text
from stormdraw.scores.overall import ALL
from stormdraw.scores.verdicts import BETTER, NO_DIFFERENCE, TOO_FEW_DAYS, TOO_FEW_DIFFER, WORSE
from stormdraw.settings import Settings


def verdict(
    summary: pd.DataFrame,
    verdicts: pd.DataFrame | None,
    overall: pd.DataFrame | None,
    settings: Settings,
) -> list[str]:
    """Sentences about the best contender. The first is the verdict itself.

    The best contender has the lowest geometric mean over variables of its fair CRPS averaged over
    leads. Only variables that all contenders with members have count. `overall`
    (results/scores/overall.csv) gives the confidence interval, if it covers the same variables.
    """
    if summary.empty:
        return ["No system is scored."]
    crps = mean_crps(summary).reindex(index=variables_in(summary, settings))
    competing = [name for name in contenders(settings) if name in crps and crps[name].notna().any()]
    common = comparable(crps, competing)
    if common.empty:
        return ["No variable has a fair CRPS of every contender, so they cannot be ranked."]
    means = {name: float(np.log(common[name]).mean()) for name in competing}
    best = min(competing, key=lambda name: means[name])
    standard = _standard(best, means, settings)
    where = f"over {plural(len(common), 'variable')} and {_leads(summary)}"
    if standard is None:
        others = [name for name in settings.baselines() if name in crps]
        first = f"{best} is the only contender. It is scored {where}."
        return [first, *_losses(best, others, crps, settings)]
    skill = 1.0 - float(np.exp(means[best] - means[standard]))
    pair = _pair(best, standard, overall, set(common.index))
    first = _first_sentence(best, standard, skill, where, pair, settings)
    others = [standard, *(name for name in settings.baselines() if name in crps)]
    sentences = [first, *_losses(best, others, crps, settings)]
    return sentences + _decided(best, standard, verdicts)


def _pair(
    best: str, standard: str, overall: pd.DataFrame | None, variables: set[str]
) -> pd.Series | None:
    """The comparison of two systems over all variables, if it covers exactly these variables."""
    if overall is None:
        return None
    same = (overall["system"] == best) & (overall["reference"] == standard)
    rows = overall[same & (overall["metric"] == "crps_fair")]
    if {*rows["variable"]} != {*variables, ALL}:
        return None
    return rows[rows["variable"] == ALL].iloc[0]


def _first_sentence(
    best: str, standard: str, skill: float, where: str, pair: pd.Series | None, settings: Settings
) -> str:
    """Which system is best, by how much, and whether that could be chance."""
    interval = "" if pair is None else _interval(pair, settings)
    if pair is not None and pair["verdict"] == NO_DIFFERENCE:
        return f"{best} and {standard} are equally good {where}{interval}."
    by = (
        f"{where} its fair CRPS is {skill_text(skill).lstrip('+')} lower than that of "
        f"{standard}{interval}."
    )
    if pair is not None and pair["verdict"] == BETTER:
        return f"{best} is best: {by}"
    return f"{best} scores best, but this may be due to chance: {by}"


def _interval(pair: pd.Series, settings: Settings) -> str:
    """The confidence interval of a skill in brackets, or why there is none."""
    if pair["verdict"] == TOO_FEW_DAYS:
        return f" ({plural(int(pair['days']), 'day')}: too few for a confidence interval)"
    if pair["verdict"] == TOO_FEW_DIFFER:
        return " (too few days differ for a confidence interval)"
    ends = f"{skill_text(pair['ci_low'])} to {skill_text(pair['ci_high'])}"
    return (
        f" ({confidence_text(settings.scores.confidence)} confidence interval of its skill: {ends})"
    )


def _standard(best: str, means: dict[str, float], settings: Settings) -> str | None:
    """The system to compare with: the reference, or the next best contender.

    The latter applies if the reference is itself the best or has no members.
    """
    reference = settings.scores.reference
    if reference in means and reference != best:
        return reference
    others = [name for name in means if name != best]
    return min(others, key=lambda name: means[name]) if others else None


def _leads(summary: pd.DataFrame) -> str:
    leads = leads_in(summary)
    if len(leads) == 1:
        return f"a lead of {leads[0]} h"
    return f"leads of {leads[0]} to {leads[-1]} h"


def _losses(best: str, others: list[str], crps: pd.DataFrame, settings: Settings) -> list[str]:
    """Which systems the best one loses to, and in which variables."""
    if not others:
        return []
    smallest = settings.report.smallest_difference
    sentences = []
    for other in others:
        skill = 1.0 - crps[best] / crps[other]
        lost = skill[skill <= -smallest]
        if len(lost):
            where = ", ".join(f"{name} ({skill_text(value)})" for name, value in lost.items())
            sentences.append(f"It loses to {other} in {where}.")
    return sentences or [f"It loses to none of {', '.join(others)} in any variable."]


def _decided(best: str, standard: str, verdicts: pd.DataFrame | None) -> list[str]:
    """How many of the comparisons with the standard are significant."""
    if verdicts is None:
        return []
    rows = verdicts[(verdicts["system"] == best) & (verdicts["reference"] == standard)]
    if rows.empty:
        return []
    better, worse, equal = (
        (rows["verdict"] == word).sum() for word in (BETTER, WORSE, NO_DIFFERENCE)
    )
    return [
        f"{plural(len(rows), 'comparison')} with {standard} by variable and lead, corrected for "
        f"multiple testing: {better} better, {worse} worse, {equal} no difference, "
        f"{len(rows) - better - worse - equal} undecided."
    ]
