"""The ensemble whose products are published: the best by a stated rule, or the one configured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.scores.headline import headline
from stormdraw.settings import Settings

RULE = (
    "the lowest geometric mean over variables of the fair CRPS averaged over leads, among the "
    "ensembles of this run's models (not the reference, baselines or the perfect ensemble)"
)


@dataclass(frozen=True)
class Winner:
    """The chosen system, and the rule that chose it."""

    system: str
    rule: str


def choose(summary: pd.DataFrame | None, settings: Settings) -> Winner | None:
    """The winner, or None without candidates. A configured system needs no summary.

    A variable counts only if every candidate has a CRPS above 0 in it.
    Raises StormdrawError if there are several candidates and no variable counts.
    """
    names = candidates(settings)
    if settings.report.products_of is not None:
        return Winner(names[0], "report.products_of")
    if len(names) < 2:
        return Winner(names[0], "the only candidate") if names else None
    means = geometric_means(summary, names) if summary is not None else {}
    if not means:
        raise StormdrawError(
            f"no variable has a fair CRPS of all of {', '.join(names)}; set report.products_of to "
            "the system whose products are to be written"
        )
    return Winner(min(names, key=lambda name: means[name]), RULE)


def winner_of(summary: pd.DataFrame, settings: Settings) -> Winner | None:
    """Like `choose`, but None instead of an error if no variable counts.

    Forecasts have the products of all systems, so none is chosen.
    """
    if summary.empty or settings.cycle:
        return None
    try:
        return choose(summary, settings)
    except StormdrawError:
        return None


def geometric_means(summary: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """The geometric mean over variables of each system's fair CRPS; empty if no variable counts."""
    crps = comparable(mean_crps(summary), names)
    if crps.empty:
        return {}
    return {name: float(np.exp(np.log(crps[name]).mean())) for name in names}


def mean_crps(summary: pd.DataFrame) -> pd.DataFrame:
    """The fair CRPS averaged over leads: one row per variable, one column per system."""
    return headline(summary, None).pivot_table(
        index="variable", columns="system", values="crps_fair", dropna=False
    )


def comparable(crps: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns of these systems, for the variables in which all of them are above 0."""
    chosen = crps.reindex(columns=list(names))
    return chosen[(chosen > 0.0).all(axis=1)]
