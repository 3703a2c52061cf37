"""The table of a simulated run: how near each system comes to the perfect ensemble."""

from dataclasses import dataclass

import pandas as pd

from stormdraw.report.summary import leads_in, systems_in, variables_in
from stormdraw.report.wording import NOTHING
from stormdraw.scores.against_perfect import against_perfect
from stormdraw.settings import Settings


@dataclass(frozen=True)
class RatioRow:
    """One system at one lead; `cells` are (ratio, spread-error ratio) as text, a variable each."""

    system: str
    lead: int
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class PerfectRatios:
    """Fair CRPS over that of the system `perfect`, and beside it the spread-error ratio."""

    perfect: str
    variables: list[str]
    rows: list[RatioRow]


def perfect_ratios(summary: pd.DataFrame, settings: Settings) -> PerfectRatios | None:
    """The table against the run's first perfect system; None where none is scored."""
    perfect = settings.perfect_system()
    if perfect is None or perfect not in systems_in(summary, settings):
        return None
    table = against_perfect(summary, perfect)
    found: dict[tuple[str, str, int], tuple[float, ...]] = {
        (row["system"], row["variable"], row["lead_hours"]): (
            row["crps_ratio"],
            row["spread_error_ratio"],
        )
        for row in table.to_dict("records")
    }
    variables = variables_in(summary, settings)
    rows = [
        RatioRow(system, lead, [_cell(found.get((system, name, lead), ())) for name in variables])
        for system in systems_in(summary, settings)
        if system != perfect
        for lead in leads_in(summary)
    ]
    return PerfectRatios(perfect, variables, rows)


def _cell(numbers: tuple[float, ...]) -> tuple[str, str]:
    if not numbers:
        return NOTHING, ""
    ratio, calibration = (f"{value:.2f}" if value == value else "" for value in numbers)
    return ratio or NOTHING, calibration
