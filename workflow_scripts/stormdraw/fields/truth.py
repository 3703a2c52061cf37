"""One day of the truth if the analyses are not all of it: `results/fields/truth/{date}.nc`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import Messages
from stormdraw.fields.normalise import time_coordinate
from stormdraw.fields.settings import Fields
from stormdraw.fields.target import Target
from stormdraw.fields.truth_sources import (
    OfAnalyses,
    OfArchive,
    OfExternalFiles,
    Source,
    VariableTruth,
)
from stormdraw.fields.writing import Content, Destination, write_fields
from stormdraw.grids import Grid
from stormdraw.times import format_init


@dataclass(frozen=True)
class TruthInputs:
    """What a day of the truth is made of.

    Each is only there where a variable needs it: the `manifest` of the archive, the files of
    `analyses`, and files of others, which are looked for at `times` but for those `excluded`.
    Without analyses the target grid is made of `grid`.
    """

    manifest: Path | None = None
    analyses: Sequence[Path] = ()
    times: Sequence[datetime] = ()
    grid: Grid | None = None
    may_be_absent: bool = False
    excluded: Collection[datetime] = ()


def write_truth(
    inputs: TruthInputs, truths: Mapping[str, VariableTruth], destination: Destination
) -> None:
    """Write each variable of `truths` (time, y, x) on the analyses' grid; without these on its own.

    A variable that neither the manifest lists nor files of others hold comes from the analyses. The
    attribute `source` of each says which truth it is. Points beyond a truth's grid are missing, as
    is a variable that the archive lacks at an hour. An hour for which there is nothing is left out
    and listed in the attribute `absent_times`.

    Raises StormdrawError if files of others lack an hour, unless it `may_be_absent`.
    """
    target = _target(inputs, destination.fields)
    sources = _sources(inputs, truths, target, destination.fields)
    wanted = sorted({*inputs.times, *(time for source in sources for time in source.times)})
    present = [time for time in wanted if any(source.has(time) for source in sources)]
    if not inputs.may_be_absent:
        # Files of others then say which file is lacking.
        present = sorted({*present, *inputs.times})
    pieces = [
        piece
        for index, valid in enumerate(present)
        for source in sources
        for piece in source.pieces(index, valid)
    ]
    titles = {name: one.title for name, one in truths.items()}
    content = Content(
        "Hourly truth",
        f"{', '.join(dict.fromkeys(titles.values()))} of {destination.output.stem}",
        {name: name for name in truths},
        {"time": time_coordinate(present)},
        {"absent_times": " ".join(format_init(time) for time in wanted if time not in present)},
        titles,
    )
    write_fields(content, pieces, target, destination)


def _target(inputs: TruthInputs, settings: Fields) -> Target:
    if inputs.analyses:
        return Target.of_file(inputs.analyses[0], settings)
    if inputs.grid is None:
        raise StormdrawError(
            "archive.truth: its files have no field at any time that forecasts are compared at, so "
            "that its grid is not known; correct its path, or the periods"
        )
    return Target.of(settings, inputs.grid)


def _sources(
    inputs: TruthInputs, truths: Mapping[str, VariableTruth], target: Target, settings: Fields
) -> list[Source]:
    """What each variable is read from."""
    found: list[Source] = []
    if inputs.manifest is not None:
        archive = OfArchive(Messages(inputs.manifest), truths, target, settings)
        archive.warn_of_points_outside()
        found.append(archive)
    by_files: dict[str, dict[str, VariableTruth]] = {}
    for name, one in truths.items():
        if one.files is not None:
            by_files.setdefault(one.files.model_dump_json(), {})[name] = one
    found += [
        OfExternalFiles(own, settings, inputs.may_be_absent, inputs.excluded)
        for own in by_files.values()
    ]
    read = {name for source in found for name in source.names}
    others = {name: one for name, one in truths.items() if name not in read}
    if others:
        found.append(OfAnalyses(inputs.analyses, others, target, settings))
    return found
