"""Which ensemble's products are written: the best by a stated rule, or the one that is named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.scores.headline import headline
from stormdraw.settings import Settings

RULE = (
    "lowest geometric mean over variables of the fair CRPS, itself the mean over leads; among "
    "ensembles of this run's own models, without the reference, baselines and the perfect ensemble"
)


@dataclass(frozen=True)
class Winner:
    """The chosen system, and the rule that chose it."""

    system: str
    rule: str


def choose(summary: pd.DataFrame | None, settings: Settings) -> Winner | None:
    """The winner; None if nothing can win. A system that is named needs no summary.

    Variables that not all candidates have, or in which one scores exactly 0, do not count.
    Raises StormdrawError if there are candidates to choose from and no score to choose by.
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
    """As `choose`, for those who only tell: None, too, where there is no score to choose by."""
    if summary.empty:
        return None
    try:
        return choose(summary, settings)
    except StormdrawError:
        return None


def geometric_means(summary: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """The geometric mean over variables of each system's fair CRPS; empty if none counts."""
    counting = comparable(mean_crps(summary), names)
    if counting.empty:
        return {}
    return {name: float(np.exp(np.log(counting[name]).mean())) for name in names}


def mean_crps(summary: pd.DataFrame) -> pd.DataFrame:
    """The fair CRPS, mean over leads: a row for each variable, a column for each system."""
    return headline(summary, None).pivot_table(
        index="variable", columns="system", values="crps_fair", dropna=False
    )


def comparable(crps: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns of these systems, and the variables in which all of them are above 0."""
    own = crps.reindex(columns=list(names))
    return own[(own > 0.0).all(axis=1)]
