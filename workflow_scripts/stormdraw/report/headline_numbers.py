"""headline.json: the key numbers of a run for other programs."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from stormdraw import __version__
from stormdraw.files import write_text
from stormdraw.provenance import commit, digest
from stormdraw.report.summary import cases_in, leads_in, load_summary
from stormdraw.report.winner import winner_of
from stormdraw.scores.against_perfect import against_perfect
from stormdraw.scores.headline import headline
from stormdraw.scores.overall import read_overall
from stormdraw.scores.stations.tables import ALL
from stormdraw.settings import Settings
from stormdraw.variables import variable


def write_headline(
    settings: Settings,
    tables: tuple[Path, Path],
    stations: tuple[Path, Path] | None,
    output: str | Path,
) -> None:
    """Write headline.json.

    `tables` are the files of the summary and of the comparisons over all leads
    (results/scores/summary.csv and overall.csv), `stations` those of scores at stations.

    Raises StormdrawError if a summary is not what the file contracts say.
    """
    numbers = headline_numbers(load_summary(tables[0]), read_overall(tables[1]), settings)
    if stations is not None:
        summary = load_summary(stations[0])
        of_all = summary[summary["which"] == ALL]
        numbers["stations"] = _scores(of_all, read_overall(stations[1]), settings)
    write_text(output, json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def headline_numbers(
    summary: pd.DataFrame, overall: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """The content of headline.json but for stations; missing values are null.

    `scores` has one entry per system and variable: `crps_fair` and `crps_gaussian` in `units`
    (means over leads), `skill` against `reference` over all leads with the CRPS it is based on
    (`skill_of`), and the spread-error ratio over all leads. `against_reference` has the intervals
    of these skills at `confidence` and their verdicts, from `stormdraw.scores.overall`; its
    variable `all` is the geometric mean over variables. `stations` has both again, of the scores
    against stations. In a run with a perfect ensemble
    `against_perfect` has one entry per system, variable and lead: the ratio of its fair CRPS to
    that of the perfect ensemble.
    """
    winner = winner_of(summary, settings)
    perfect = settings.perfect_system()
    ratios = against_perfect(summary, perfect) if perfect and len(summary) else pd.DataFrame()
    return {
        "title": settings.title,
        "version": __version__,
        "commit": commit(),
        "settings_hash": digest(settings.model_dump(mode="json")),
        "simulated": settings.simulated,
        "reference": settings.scores.reference,
        "cases": max(cases_in(summary), default=0),
        "leads_hours": leads_in(summary),
        "winner": winner and {"system": winner.system, "rule": winner.rule},
        "confidence": settings.scores.confidence,
        **_scores(summary, overall, settings),
        "stations": None,
        "perfect": perfect,
        "against_perfect": _rows(ratios),
    }


def _scores(summary: pd.DataFrame, overall: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """The scores of each system and variable, and their comparison with the reference."""
    reference = settings.scores.reference
    table = headline(summary, reference) if len(summary) else pd.DataFrame()
    compared = overall[overall["reference"] == reference].drop(columns="reference")
    return {
        "scores": [row | {"units": variable(row["variable"]).units} for row in _rows(table)],
        "against_reference": _rows(compared),
    }


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON can hold them: six digits, None for NaN and empty text."""
    rounded = table.map(lambda value: float(f"{value:.6g}") if isinstance(value, float) else value)
    return rounded.astype(object).where(table.notna() & (table != ""), None).to_dict("records")
