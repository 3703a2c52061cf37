"""Notes on what the comparison of systems rests on."""

from pathlib import Path

import pandas as pd

from stormdraw.scores.summary import read_summary
from stormdraw.scores.verdicts import caveats
from stormdraw.settings import Settings
from stormdraw.times import parse_init


def comparison_notes(
    verdicts: pd.DataFrame | None, missing_path: Path | None, settings: Settings
) -> list[str]:
    """The caveats of `results/scores/verdicts.csv` and what `missing.csv` lists, as sentences."""
    notes = [] if verdicts is None else caveats(verdicts, settings.scores.confidence)
    return notes + _missing(missing_path)


def _missing(path: Path | None) -> list[str]:
    """What is left out for all systems because one of them lacks it."""
    if path is None:
        return []
    table = read_summary(path)
    if table.empty:
        return ["No forecast and no truth has gaps: all points of all cases count."]
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
        counts = ", ".join(f"{what} in {count:,}" for what, count in lacking.items() if count)
        excluded = int((of_system["points"] == 0).sum())
        notes.append(
            f"{system} lacks {counts} of its forecasts (each one variable at one lead)"
            + (f"; left out for all systems: {excluded:,}" if excluded else "")
            + "."
        )
    unstarted = table[table["reason"] != ""]
    for (init, reason), of_case in unstarted.groupby(["init", "reason"], sort=True):
        systems = ", ".join(dict.fromkeys(of_case["system"]))
        notes.append(
            f"The case of {parse_init(str(init)):%Y-%m-%d %H} UTC is left out for all systems: "
            f"{systems} cannot start there, because {reason}."
        )
    notes.append(
        "A point or lead that a reference or a baseline lacks is left out for all systems. So is "
        "a variable at a lead of a case at which an ensemble drawn from a model lacks a point. An "
        "absent member makes its ensemble smaller. results/scores/missing.csv lists each gap."
    )
    return notes
