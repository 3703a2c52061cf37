"""The verdict in a few sentences: who is best, by how much, and where it loses."""

import numpy as np
import pandas as pd

from stormdraw.report.matrix import contenders
from stormdraw.report.summary import leads_in, variables_in
from stormdraw.report.wording import skill_text
from stormdraw.scores.headline import headline
from stormdraw.settings import Settings


def verdict(summary: pd.DataFrame, verdicts: pd.DataFrame | None, settings: Settings) -> list[str]:
    """Sentences about the best contender, the first the verdict itself.

    The best one has the lowest geometric mean over variables of the fair CRPS, itself the mean over
    leads, of the variables that all contenders with members have.
    """
    if summary.empty:
        return ["Nothing is scored."]
    crps = headline(summary, None).pivot_table(
        index="variable", columns="system", values="crps_fair", dropna=False
    )
    crps = crps.reindex(index=variables_in(summary, settings))
    competing = [name for name in contenders(settings) if name in crps and crps[name].notna().any()]
    common = crps[competing].dropna()
    common = common[(common > 0.0).all(axis=1)]
    if not competing or common.empty:
        return ["No contender has a fair CRPS: there is nothing to rank."]
    means = {name: float(np.log(common[name]).mean()) for name in competing}
    best = min(competing, key=lambda name: means[name])
    standard = _standard(best, means, settings)
    where = f"over {len(common)} variables and leads of {_leads(summary)} h"
    if standard is None:
        others = [name for name in settings.baselines() if name in crps]
        first = f"{best} is the only contender, scored {where}."
        return [first, *_losses(best, others, crps, settings)]
    skill = 1.0 - float(np.exp(means[best] - means[standard]))
    if skill < settings.report.smallest_difference:
        first = f"{best} and {standard} are as good as each other"
    else:
        better = skill_text(skill).lstrip("+")
        first = f"{best} is best: its fair CRPS is {better} below that of {standard}"
    others = [standard, *(name for name in settings.baselines() if name in crps)]
    sentences = [f"{first}, {where}.", *_losses(best, others, crps, settings)]
    return sentences + _decided(best, standard, verdicts)


def _standard(best: str, means: dict[str, float], settings: Settings) -> str | None:
    """The reference, or the next best contender if the reference is best or has no members."""
    reference = settings.scores.reference
    if reference in means and reference != best:
        return reference
    others = [name for name in means if name != best]
    return min(others, key=lambda name: means[name]) if others else None


def _leads(summary: pd.DataFrame) -> str:
    leads = leads_in(summary)
    return f"{leads[0]} to {leads[-1]}" if len(leads) > 1 else str(leads[0])


def _losses(best: str, others: list[str], crps: pd.DataFrame, settings: Settings) -> list[str]:
    """Against whom the best loses, and in which variables."""
    smallest = settings.report.smallest_difference
    sentences = []
    for other in dict.fromkeys(others):
        skill = 1.0 - crps[best] / crps[other]
        lost = skill[skill <= -smallest]
        if len(lost):
            told = ", ".join(f"{name} ({skill_text(value)})" for name, value in lost.items())
            sentences.append(f"It loses to {other} in {told}.")
    return sentences or [f"It loses to none of {', '.join(dict.fromkeys(others))} in any variable."]


def _decided(best: str, standard: str, verdicts: pd.DataFrame | None) -> list[str]:
    """How many of the comparisons with the standard chance does not explain."""
    if verdicts is None:
        return []
    own = verdicts[(verdicts["system"] == best) & (verdicts["reference"] == standard)]
    if own.empty:
        return []
    better, worse = ((own["verdict"] == word).sum() for word in ("better", "worse"))
    return [
        f"Of {len(own)} comparisons of a variable at a lead with {standard}, {better} are better "
        f"and {worse} worse than chance explains; the other {len(own) - better - worse} are "
        "undecided."
    ]
