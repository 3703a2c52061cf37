"""Values that cannot be: counted, recorded and, if asked for, masked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal

import netCDF4
import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.fields.settings import Suspicious
from stormdraw.files import replacing
from stormdraw.times import INIT_FORMAT, format_init
from stormdraw.variables import variable

logger = logging.getLogger(__name__)

Treatment = Suspicious | Literal["floor"]


@dataclass(frozen=True)
class Finding:
    """A field's points outside the table's physical bounds.

    `valid` is the valid time, `member` is empty for an analysis. `suspicious` of `points` points
    lie outside `lower` and `upper`; `lowest` and `highest` are the field's extremes. `treatment`
    says whether they were kept, masked, or raised to the floor.
    """

    valid: datetime
    variable: str
    member: str
    points: int
    suspicious: int
    lowest: float
    highest: float
    lower: float
    upper: float
    treatment: Treatment


COLUMNS = tuple(field.name for field in fields(Finding))


def check(
    field: np.ndarray, name: str, valid: datetime, treatment: Suspicious, member: str = ""
) -> tuple[np.ndarray, list[Finding]]:
    """A field (y, x), masked if so asked, and what was found in it.

    Bounds are those of the table, widened by the step to which packing rounds.
    """
    row = variable(name)
    lower, upper = row.lower - row.precision, row.upper + row.precision
    # Most fields need no more than these two passes.
    if field.min() >= lower and field.max() <= upper:
        return field, []
    outside = (field < lower) | (field > upper)
    if not outside.any():
        return field, []
    finding = _finding(field, outside, name, valid, treatment, member)
    if treatment == "mask":
        field = np.where(outside, np.float32(np.nan), field)
    return field, [finding]


def align_floor(
    field: np.ndarray, name: str, valid: datetime, member: str = ""
) -> tuple[np.ndarray, list[Finding]]:
    """A field (y, x) with what lies below the floor raised to it, if the table gives decibels.

    Models write no echo as values of their own: HRRR as -10 dBZ, RRFS as -20
    (NOAA-EMC/global-workflow issue 2143). Points that are lower by no more than the step to which
    packing rounds are raised, but not told.
    """
    row = variable(name)
    if not row.decibel or row.floor is None or field.min() >= row.floor:
        return field, []
    raised = np.maximum(field, np.float32(row.floor))
    below = field < row.floor - row.precision
    found = [_finding(field, below, name, valid, "floor", member)] if below.any() else []
    return raised, found


def _finding(
    field: np.ndarray,
    outside: np.ndarray,
    name: str,
    valid: datetime,
    treatment: Treatment,
    member: str,
) -> Finding:
    row = variable(name)
    return Finding(
        valid=valid,
        variable=name,
        member=member,
        points=int(field.size),
        suspicious=int(outside.sum()),
        lowest=float(np.nanmin(field)),
        highest=float(np.nanmax(field)),
        lower=row.lower,
        upper=row.upper,
        treatment=treatment,
    )


def note_suspicious(
    written: Mapping[str, netCDF4.Variable], findings: Sequence[Finding], treatment: Suspicious
) -> None:
    """Record the counts with the variables of a file, and say them if there are any."""
    said = {"keep": "kept as they are", "mask": "masked", "floor": "raised to the floor"}
    for name, field in written.items():
        for attribute, kind in (("suspicious_points", treatment), ("raised_points", "floor")):
            own = [one for one in findings if (one.variable, one.treatment) == (name, kind)]
            count = sum(finding.suspicious for finding in own)
            field.setncattr(attribute, np.int64(count))
            if count:
                row = variable(name)
                logger.warning(
                    "%s: %d points outside %g to %g %s in %d fields, %s",
                    *(name, count, row.lower, row.upper, row.units, len(own), said[kind]),
                )


def note_incomplete(written: Mapping[str, netCDF4.Variable], times: Iterable[datetime]) -> None:
    """Name the valid times of a file at which some field has a missing point.

    No model learns from such an hour or starts at it.
    """
    named = " ".join(map(format_init, sorted(times)))
    next(iter(written.values())).group().setncattr("incomplete_times", named)


def write_findings(findings: Iterable[Finding], path: str | Path) -> None:
    """Write them as CSV; a file with no rows says that nothing was suspicious."""
    table = pd.DataFrame([asdict(finding) for finding in findings], columns=list(COLUMNS))
    table["valid"] = [f"{time:{INIT_FORMAT}}" for time in table["valid"]]
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def read_findings(paths: Sequence[str | Path]) -> pd.DataFrame:
    """The rows of several such files, with the columns of `Finding`.

    Raises StormdrawError if a file is something else.
    """
    tables = []
    for path in paths:
        table = pd.read_csv(path, dtype={"valid": str, "member": str}, keep_default_na=False)
        if tuple(table.columns) != COLUMNS:
            raise StormdrawError(f"{path}: not a table of suspicious values; delete it, run again")
        tables.append(table)
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(COLUMNS))
