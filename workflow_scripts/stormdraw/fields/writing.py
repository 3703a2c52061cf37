"""Writes a file of fields on the target grid piece by piece, and the table of findings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.fields.decoding import Read
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.quality import Finding, note_incomplete, note_suspicious, write_findings
from stormdraw.fields.settings import Fields
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.threads import in_order
from stormdraw.provenance import attributes
from stormdraw.times import format_init
from stormdraw.variables import other_components, vectors


@dataclass(frozen=True)
class Destination:
    """Where a job writes its fields and its table of findings, and how.

    `settings` are recorded in the file; `threads` decode in parallel.
    """

    output: Path
    quality: Path
    fields: Fields
    settings: Mapping[str, Any]
    threads: int = 1


@dataclass(frozen=True)
class Piece:
    """Variables of one time, read together, and their index along the file's leading dimensions.

    `read` is None for absent variables, which are then missing. `ending` is appended to the
    variables' names in the file. `called` is how the list of incomplete times calls it, if not by
    its valid time.
    """

    index: tuple[int, ...]
    names: tuple[str, ...]
    checks: Checks
    read: Read | None
    ending: str = ""
    called: str = ""


@dataclass(frozen=True)
class Content:
    """The description of a file of fields.

    `variables` maps the names in the file to rows of the table of variables; `leading` are the
    coordinates of the dimensions before y and x. `notes` are attributes of the file; `sources`
    gives the source of variables if it differs among them.
    """

    title: str
    source: str
    variables: Mapping[str, str]
    leading: Mapping[str, xr.DataArray]
    notes: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


def read_together(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of variables: each alone, but both components of a vector together."""
    others = other_components()
    alone: list[tuple[str, ...]] = [(name,) for name in names if name not in others]
    pairs = [tuple(name for name in names if name in pair) for pair in vectors().items()]
    return [*alone, *(pair for pair in pairs if pair)]


def write_fields(
    content: Content, pieces: Iterable[Piece], target: Target, destination: Destination
) -> None:
    """Read all pieces, put them on the target grid and write them, float32 (*leading, y, x).

    Values outside their bounds are kept or masked, counted in the variables' attributes
    `suspicious_points` and `raised_points`, logged, and listed in the table of findings. The
    attribute `incomplete_times` of a variable lists the valid times (or `called`) of its fields
    with a missing point, that of the file those of all variables.
    Raises StormdrawError as the pieces' `read` and `Target.place` do; nothing is written then.
    """

    def place(piece: Piece) -> tuple[Piece, Mapping[str, np.ndarray], list[Finding]]:
        if piece.read is None:
            return piece, {}, []
        return piece, *target.place(piece.read(), piece.checks)

    description = attributes(content.title, content.source, destination.settings)
    description |= content.notes
    if other_components().keys() & set(content.variables):
        description["wind_convention"] = "components along the x and y axes of this file's grid"
    findings: list[Finding] = []
    incomplete: dict[str, set[str]] = {}
    checked = {}
    with written_in_parts(
        destination.output,
        target.grid,
        content.leading,
        content.variables,
        description,
        destination.fields.store,
    ) as file:
        for piece, placed, found in in_order(place, pieces, destination.threads):
            for name in piece.names:
                variable, field = file[name + piece.ending], placed.get(name, np.nan)
                variable[(*piece.index, ...)] = field
                if piece.checks.bounded:
                    checked[name] = variable
                if np.isnan(np.min(field)):
                    called = piece.called or format_init(piece.checks.valid)
                    incomplete.setdefault(name + piece.ending, set()).add(called)
            findings += found
        for name, source in content.sources.items():
            file[name].setncattr("source", source)
        note_suspicious(checked, findings, destination.fields.suspicious)
        note_incomplete(file, incomplete)
    write_findings(findings, destination.quality)
