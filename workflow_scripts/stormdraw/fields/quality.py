"""Physically impossible values: counted, recorded and, if configured, masked."""

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
from stormdraw.times import INIT_FORMAT
from stormdraw.variables import variable

logger = logging.getLogger(__name__)

Treatment = Suspicious | Literal["floor"]


@dataclass(frozen=True)
class Finding:
    """A field's points outside the physical bounds of the variable.

    `valid` is the valid time; `member` is empty for an analysis. `suspicious` of `points` points
    are outside `lower` and `upper`; `lowest` and `highest` are the field's extremes. `treatment`
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
    """A field (y, x), masked if configured, and the findings in it.

    Bounds are those of the table of variables, widened by the packing step.
    """
    row = variable(name)
    lower, upper = row.lower - row.precision, row.upper + row.precision
    # These two passes suffice for most fields.
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
    field: np.ndarray,
    name: str,
    valid: datetime,
    member: str = "",
    no_echo: float | None = None,
) -> tuple[np.ndarray, list[Finding]]:
    """A field (y, x) whose points without echo are at the floor, for variables in decibels.

    Models encode no echo differently. `no_echo` is the value of the field's model, if it is known:
    where that is above the floor, points without echo are lowered to the floor. In all fields,
    points below the floor are raised to it. Points lower by no more than the packing step are
    raised without a finding.
    """
    row = variable(name)
    if not row.decibel or row.floor is None:
        return field, []
    if no_echo is not None and no_echo > row.floor:
        return np.where(field <= no_echo + row.precision / 2, np.float32(row.floor), field), []
    if field.min() >= row.floor:
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
    """Record the counts in the variables' attributes, and log them if there are any."""
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


def note_incomplete(
    written: Mapping[str, netCDF4.Variable], times: Mapping[str, Iterable[str]]
) -> None:
    """List the valid times at which a field has a missing point, by variable and of all together.

    Models that have the variable neither learn from such an hour nor start from it.
    """
    for name, field in written.items():
        field.setncattr("incomplete_times", " ".join(sorted(times.get(name, ()))))
    every = {time for of_variable in times.values() for time in of_variable}
    next(iter(written.values())).group().setncattr("incomplete_times", " ".join(sorted(every)))


def write_findings(findings: Iterable[Finding], path: str | Path) -> None:
    """Write findings as CSV; a file without rows means that nothing was suspicious."""
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
