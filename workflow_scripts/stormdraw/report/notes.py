"""Notes on what the comparison of systems rests on."""

from pathlib import Path

import pandas as pd

from stormdraw.archive.truth_names import truth_name
from stormdraw.scores.summary import read_summary
from stormdraw.scores.verdicts import caveats
from stormdraw.settings import Settings
from stormdraw.times import parse_init


def comparison_notes(
    verdicts: pd.DataFrame | None,
    missing_path: Path | None,
    settings: Settings,
    points: int | None = None,
) -> list[str]:
    """The caveats of `results/scores/verdicts.csv` and what `missing.csv` lists, as sentences.

    `points` are those of the whole grid, if that is known.
    """
    notes = [] if verdicts is None else caveats(verdicts, settings.scores.confidence)
    return notes + _missing(missing_path, settings, points)


def _missing(path: Path | None, settings: Settings, points: int | None) -> list[str]:
    """What is left out for all systems because one of them lacks it."""
    if path is None:
        return []
    table = read_summary(path)
    if table.empty:
        return ["No forecast and no truth has gaps: all points of all cases count."]
    notes = _gaps_of_the_truth(table, settings, points)
    own = table[(table["absent_members"] > 0) | (table["missing_points"] > 0)]
    for system, of_system in own.groupby("system", sort=True):
        lacking = {
            what: int((of_system[column] > 0).sum())
            for what, column in (("members", "absent_members"), ("points", "missing_points"))
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
        "A point or lead that a reference, a baseline or an ensemble of others lacks is left out "
        "for all systems. So is a variable at a lead of a case at which an ensemble drawn from a "
        "model lacks a point. An absent member makes its ensemble smaller. "
        "results/scores/missing.csv lists each gap."
    )
    return notes


def _gaps_of_the_truth(table: pd.DataFrame, settings: Settings, points: int | None) -> list[str]:
    """How much the truth of each variable lacks, as beyond the radars: the same for all systems."""
    gaps = table[table["missing_truth"] > 0].drop_duplicates(["variable", "init", "lead_hours"])
    notes = []
    for name, of_variable in gaps.groupby("variable", sort=True):
        lacking = of_variable["missing_truth"].mean()
        share = "" if points is None else f", {100.0 * lacking / points:.1f} % of all"
        notes.append(
            f"The truth of {name}, the {truth_name(settings, str(name))}, has no value at "
            f"{lacking:,.0f} points{share}, on average over the {len(of_variable):,} cases and "
            "leads at which it lacks some. They count for no system."
        )
    return notes
