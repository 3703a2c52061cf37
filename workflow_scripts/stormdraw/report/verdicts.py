"""Better, worse or no difference, and what must be said beside it: a part of the page."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.archive.truth_names import truth_sentences
from stormdraw.report.wording import NOTHING, digits, plural, units_text
from stormdraw.scores.settings import SCORED_VARIABLES
from stormdraw.scores.summary import read_summary
from stormdraw.scores.verdicts import TOO_FEW_DAYS, caveats, read_verdicts
from stormdraw.settings import Settings
from stormdraw.times import parse_init

_WORDS = {TOO_FEW_DAYS: "undecided"}


@dataclass(frozen=True)
class Cell:
    """One system against another at one lead: the verdict, and the difference it rests on.

    `tone` is "better", "worse" or "". `gaussian` tells that both are scored as Gaussians.
    """

    verdict: str
    tone: str
    difference: str
    gaussian: bool


@dataclass(frozen=True)
class Row:
    """One system and variable; `cells` are in the order of the table's leads."""

    system: str
    variable: str
    units: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """Everyone against one system; `days` tells the number of blocks at each of `leads` (h)."""

    reference: str
    leads: list[int]
    days: list[str]
    rows: list[Row]
    any_gaussian: bool


@dataclass(frozen=True)
class GaussianRow:
    """A comparison of Gaussians, and beside it the full CRPS of the system if it has members."""

    system: str
    reference: str
    variable: str
    lead: int
    value: str
    reference_value: str
    own_crps_fair: str


@dataclass(frozen=True)
class Verdicts:
    """The whole part; `gap` says why there is no table."""

    tables: list[Table]
    gaussian: list[GaussianRow]
    caveats: list[str]
    gap: str


def describe_verdicts(
    verdicts_path: Path | None, missing_path: Path | None, settings: Settings
) -> Verdicts:
    """What `results/scores/verdicts.csv` and `missing.csv` say, as text."""
    if verdicts_path is None:
        return Verdicts([], [], [], "No table of verdicts was given to this page.")
    table = read_verdicts(verdicts_path)
    missing = _missing(missing_path)
    notes = [*truth_sentences(settings), *caveats(table, settings.scores.confidence), *missing]
    if table.empty:
        gap = "There is nothing to compare with: set scores.reference or add a baseline."
        return Verdicts([], [], notes, gap)
    order = [system.name for system in settings.ensembles.systems]
    tables = [
        _table(reference, table[table["reference"] == reference], order)
        for reference in dict.fromkeys(table["reference"])
    ]
    gaussian = table[table["metric"] == "crps_gaussian"]
    return Verdicts(tables, [_gaussian(row) for row in gaussian.itertuples()], notes, "")


def _table(reference: str, compared: pd.DataFrame, order: list[str]) -> Table:
    leads = sorted(set(compared["lead_hours"]))
    found = {
        (row.system, row.variable, row.lead_hours): row for row in compared.itertuples(index=False)
    }
    rows = [
        Row(
            system,
            name,
            units_text(name),
            [_cell(found.get((system, name, lead))) for lead in leads],
        )
        for system in order
        for name in SCORED_VARIABLES
        if any((system, name, lead) in found for lead in leads)
    ]
    days = [_days(compared[compared["lead_hours"] == lead]) for lead in leads]
    any_gaussian = bool((compared["metric"] == "crps_gaussian").any())
    return Table(reference, [int(lead) for lead in leads], days, rows, any_gaussian)


def _days(compared: pd.DataFrame) -> str:
    """How many blocks a lead has, which variables may have different numbers of."""
    fewest, most = int(compared["days"].min()), int(compared["days"].max())
    return plural(most, "day") if fewest == most else f"{fewest} to {most} days"


def _cell(row: object) -> Cell:
    if row is None:
        return Cell(NOTHING, "", "", False)
    difference, low, high = (getattr(row, name) for name in ("difference", "ci_low", "ci_high"))
    verdict = str(getattr(row, "verdict"))  # noqa: B009
    told = _signed(difference)
    if np.isfinite(low) and np.isfinite(high):
        told += f" ({_signed(low)} to {_signed(high)})"
    return Cell(
        _WORDS.get(verdict, verdict),
        verdict if verdict in ("better", "worse") else "",
        told,
        getattr(row, "metric") == "crps_gaussian",  # noqa: B009
    )


def _signed(value: float) -> str:
    return f"+{digits(value)}" if value > 0.0 else digits(value)


def _gaussian(row: object) -> GaussianRow:
    one = row._asdict()  # type: ignore[attr-defined]
    return GaussianRow(
        one["system"],
        one["reference"],
        one["variable"],
        int(one["lead_hours"]),
        digits(one["value"]),
        digits(one["reference_value"]),
        digits(one["own_crps_fair"]),
    )


def _missing(path: Path | None) -> list[str]:
    """What was left out of all systems because one lacked it."""
    if path is None:
        return []
    table = read_summary(path)
    if table.empty:
        return ["No system and no truth lacked anything: all points of all cases count."]
    notes = []
    for system, of_system in table.groupby("system", sort=True):
        lacking = {
            what: int((of_system[column] > 0).sum())
            for what, column in (
                ("members", "absent_members"),
                ("points", "missing_points"),
                ("points of the truth", "missing_truth"),
            )
        }
        told = ", ".join(f"{what} in {count:,}" for what, count in lacking.items() if count)
        gone = int((of_system["points"] == 0).sum())
        notes.append(
            f"{system} lacks {told} of its forecasts of a variable at one lead"
            + (f"; {gone:,} are left out for all systems" if gone else "")
            + "."
        )
    unstarted = table[table["reason"] != ""]
    for (init, reason), of_case in unstarted.groupby(["init", "reason"], sort=True):
        systems = ", ".join(dict.fromkeys(of_case["system"]))
        notes.append(
            f"The case of {parse_init(str(init)):%Y-%m-%d %H} UTC is left out for all systems: "
            f"{systems} cannot start there, since {reason}."
        )
    notes.append(
        "A point or lead that one system lacks counts for none; an absent member makes that "
        "ensemble smaller. Each is listed in results/scores/missing.csv."
    )
    return notes
