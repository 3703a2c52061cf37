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
from stormdraw.settings import Settings
from stormdraw.variables import variable


def write_headline(settings: Settings, summary_path: str | Path, output: str | Path) -> None:
    """Write headline.json.

    Raises StormdrawError if the summary is not what the file contracts say.
    """
    numbers = headline_numbers(load_summary(summary_path), settings)
    write_text(output, json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def headline_numbers(summary: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """The content of headline.json; missing values are null.

    `scores` has one entry per system and variable: `crps_fair` and `crps_gaussian` in `units`
    (means over leads), `skill` against `reference` over all leads with the CRPS it is based on
    (`skill_of`), and the spread-error ratio over all leads. In a run with a perfect ensemble
    `against_perfect` has one entry per system, variable and lead: the ratio of its fair CRPS to
    that of the perfect ensemble.
    """
    winner = winner_of(summary, settings)
    perfect = settings.perfect_system()
    ratios = against_perfect(summary, perfect) if perfect and len(summary) else pd.DataFrame()
    table = headline(summary, settings.scores.reference) if len(summary) else pd.DataFrame()
    return {
        "title": settings.title,
        "version": __version__,
        "commit": commit(),
        "settings_hash": digest(settings.model_dump(mode="json")),
        "simulated": settings.archive.source == "simulated",
        "reference": settings.scores.reference,
        "cases": max(cases_in(summary), default=0),
        "leads_hours": leads_in(summary),
        "winner": winner and {"system": winner.system, "rule": winner.rule},
        "scores": [row | {"units": variable(row["variable"]).units} for row in _rows(table)],
        "perfect": perfect,
        "against_perfect": _rows(ratios),
    }


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON can hold them: six digits, None for NaN and empty text."""
    rounded = table.map(lambda value: float(f"{value:.6g}") if isinstance(value, float) else value)
    return rounded.astype(object).where(table.notna() & (table != ""), None).to_dict("records")
