"""Values outside the physical bounds, from the quality tables of the fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stormdraw.fields.quality import read_findings
from stormdraw.report.wording import digits, units_text

_TREATMENTS = {"keep": "kept", "mask": "masked", "floor": "raised to the floor"}


@dataclass(frozen=True)
class SuspiciousVariable:
    """Counts of points and fields, and the extremes, of a variable of one source and treatment.

    The treatment separates values that another model writes for "no echo" from impossible ones.
    """

    source: str
    variable: str
    points: int
    fields: int
    extremes: str
    bounds: str
    treatment: str


def suspicious_variables(paths: Sequence[str | Path]) -> list[SuspiciousVariable] | None:
    """Counts by source and variable from `fields/quality/{source}/*.csv`; None without files.

    Raises StormdrawError if a file is not a quality table.
    """
    if not paths:
        return None
    by_source: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        by_source.setdefault(path.parent.name, []).append(path)
    return [
        _counted(source, str(name), rows)
        for source, files in by_source.items()
        for (name, _), rows in read_findings(files).groupby(["variable", "treatment"])
    ]


def _counted(source: str, name: str, findings: pd.DataFrame) -> SuspiciousVariable:
    lower, upper = findings["lower"].iloc[0], findings["upper"].iloc[0]
    lowest, highest = findings["lowest"].min(), findings["highest"].max()
    extremes = [digits(value) for value in (lowest, highest) if not lower <= value <= upper]
    return SuspiciousVariable(
        source=source,
        variable=name,
        points=int(findings["suspicious"].sum()),
        fields=len(findings),
        extremes=", ".join(extremes),
        bounds=f"{digits(lower)} to {digits(upper)} {units_text(name)}",
        treatment=_TREATMENTS[findings["treatment"].iloc[0]],
    )
