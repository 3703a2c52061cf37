"""Values outside the physical bounds, from the quality tables of the fields."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stormdraw.fields.quality import read_findings
from stormdraw.report.wording import digits, units_text

HEADINGS = ("source", "variable", "points", "fields", "extremes", "bounds", "treatment")

MASKED = "masked"
_TREATMENTS = {"keep": "kept", "mask": MASKED, "floor": "raised to the floor"}


def suspicious_values(paths: Sequence[str | Path]) -> list[tuple[str, ...]] | None:
    """Rows of HEADINGS as text from `fields/quality/{source}/*.csv`; None without files.

    There is one row for each source, variable and treatment. The treatment separates values that
    another model writes for "no echo" from impossible ones.
    Raises StormdrawError if a file is not a quality table.
    """
    if not paths:
        return None
    by_source: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        by_source.setdefault(path.parent.name, []).append(path)
    return [
        (source, str(name), *_described(str(name), rows))
        for source, files in by_source.items()
        for (name, _), rows in read_findings(files).groupby(["variable", "treatment"])
    ]


def _described(name: str, findings: pd.DataFrame) -> tuple[str, ...]:
    lower, upper = findings["lower"].iloc[0], findings["upper"].iloc[0]
    lowest, highest = findings["lowest"].min(), findings["highest"].max()
    extremes = [digits(value) for value in (lowest, highest) if not lower <= value <= upper]
    return (
        f"{int(findings['suspicious'].sum()):,}",
        str(len(findings)),
        ", ".join(extremes),
        f"{digits(lower)} to {digits(upper)} {units_text(name)}",
        _TREATMENTS[findings["treatment"].iloc[0]],
    )
