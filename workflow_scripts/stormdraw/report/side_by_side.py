"""The same forecasts judged by several truths, side by side: the analysis and observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from stormdraw.report.matrix import contenders
from stormdraw.report.wording import digits, units_text
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables


@dataclass(frozen=True)
class Judgement:
    """The fair CRPS averaged over leads against one truth: a row a variable, a column a system.

    `names` has the name of the truth of each variable.
    """

    names: Mapping[str, str]
    crps: pd.DataFrame


@dataclass(frozen=True)
class SideBySide:
    """A table of one variable, a row a system and a column a truth.

    `orders` has the competing systems by truth, the lowest CRPS first.
    """

    variable: str
    caption: str
    headings: list[str]
    rows: list[list[str]]
    orders: Mapping[str, list[str]]


def side_by_side(judgements: Sequence[Judgement], settings: Settings) -> list[SideBySide]:
    """One table for each variable that several truths judge, in the order of the variables.

    Systems stand in the order of the configuration; one without a fair CRPS is left out.
    """
    tables = []
    for name in scored_variables(list(settings.variables)):
        columns = {
            one.names[name]: one.crps.loc[name].dropna()
            for one in judgements
            if name in one.crps.index
        }
        if len(columns) > 1:
            tables.append(_table(name, pd.DataFrame(columns), settings))
    return tables


def _table(name: str, crps: pd.DataFrame, settings: Settings) -> SideBySide:
    order = [system.name for system in settings.ensembles.systems if system.name in crps.index]
    rows = [[system, *map(digits, crps.loc[system])] for system in order]
    competing = [system for system in contenders(settings) if system in order]
    compared = crps.loc[competing if len(competing) > 1 else order].dropna()
    return SideBySide(
        name,
        f"{name}: fair CRPS ({units_text(name)}), mean over leads, against each truth",
        ["system", *map(str, crps.columns)],
        rows,
        {str(truth): list(compared[truth].sort_values().index) for truth in compared},
    )


def orders_of_systems(tables: Sequence[SideBySide]) -> list[str]:
    """Sentences on where the order of systems changes with the truth, variables of one together.

    Nothing is said of a variable in which fewer than two systems compete.
    """
    by_sentence: dict[str, list[str]] = {}
    for table in tables:
        best, *others = table.orders.values()
        if len(best) < 2:
            continue
        if all(other == best for other in others):
            told = f"is the same: {', '.join(best)}."
        else:
            told = "; ".join(
                f"against the {truth} ({', '.join(order)})" for truth, order in table.orders.items()
            )
            told = f"depends on the truth: {told}."
        by_sentence.setdefault(told, []).append(table.variable)
    return [
        f"In {', '.join(names)} the order of systems {told}" for told, names in by_sentence.items()
    ]
