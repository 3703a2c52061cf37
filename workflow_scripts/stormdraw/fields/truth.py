"""One day of the truth if the analyses are not all of it: `results/fields/truth/{date}.nc`."""

import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from stormdraw.archive.truth import Codes
from stormdraw.fields.decoding import Messages, Read
from stormdraw.fields.mosaic import cells
from stormdraw.fields.normalise import time_coordinate
from stormdraw.fields.regridding import regridder
from stormdraw.fields.settings import Fields
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Content, Destination, Piece, read_together, write_fields
from stormdraw.times import format_init

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VariableTruth:
    """The name of the truth of a variable, and what its values mean.

    `no_echo` is what its model writes where there is no echo (dBZ); None if that is unknown, and
    for the analyses, which were aligned before. `codes` are those of a radar mosaic.
    """

    title: str
    no_echo: float | None = None
    codes: Codes | None = None


def write_truth(
    manifest_path: Path,
    analysis_paths: Sequence[Path],
    truths: Mapping[str, VariableTruth],
    destination: Destination,
) -> None:
    """Write each variable of `truths` (time, y, x) on the analyses' grid.

    A variable that the manifest does not list comes from the analyses. The attribute `source` of
    each says which truth it is. Points beyond a truth's grid are missing, as is a variable that the
    archive lacks at an hour. An hour for which the archive has nothing is left out and listed in
    the attribute `absent_times`.
    """
    messages = Messages(manifest_path)
    own = [name for name in truths if name in set(messages.table["variable"])]
    others = tuple(name for name in truths if name not in own)
    wanted = messages.by_valid_time()
    not_analysed = absent_times(analysis_paths) if others else {one.valid for one in wanted}
    present = [one for one in wanted if one.valid not in not_analysed or one.any_of(own)]
    absent = sorted({one.valid for one in wanted} - {one.valid for one in present})
    target = Target.of_file(analysis_paths[0], destination.fields)
    _warn_of_points_outside(messages, target, {name: truths[name].title for name in own})
    suspicious = destination.fields.suspicious
    analyses = StateReader(analysis_paths, others)
    pieces = []
    for index, listed in enumerate(present):
        for group in read_together(own):
            checks = Checks(listed.valid, suspicious, no_echo=truths[group[0]].no_echo)
            read, codes = messages.reading(listed, group), truths[group[0]].codes
            if read is not None and codes is not None:
                read = functools.partial(_mosaic, read, target, codes, destination.fields)
            pieces.append(Piece((index,), group, checks, read))
        if others:
            read = None
            if listed.valid not in not_analysed:
                read = functools.partial(_analysis, analyses, listed.valid, target)
            # They were checked when the analyses were written.
            checks = Checks(listed.valid, suspicious, bounded=False)
            pieces.append(Piece((index,), others, checks, read))
    titles = dict.fromkeys(truths[name].title for name in own)
    content = Content(
        "Hourly truth",
        f"{', '.join(titles)} GRIB2 of {manifest_path.parent.name}",
        {name: name for name in truths},
        {"time": time_coordinate([listed.valid for listed in present])},
        {"absent_times": " ".join(map(format_init, absent))},
        {name: one.title for name, one in truths.items()},
    )
    write_fields(content, pieces, target, destination)


def _mosaic(read: Read, target: Target, codes: Codes, settings: Fields) -> list[SourceField]:
    """A radar mosaic by the cells of the target's points, whose values are all dBZ."""
    return [
        replace(
            field,
            values=cells(field.grid, target.points).place(field, codes, settings.radar_cells),
            grid=target.points,
        )
        for field in read()
    ]


def _analysis(analyses: StateReader, valid: datetime, target: Target) -> list[SourceField]:
    """The analysis at a time, which is on the target grid already."""
    origin = str(analyses.path_of(valid))
    return [
        SourceField(name, values, target.grid, origin)
        for name, values in zip(analyses.names, analyses.read(valid), strict=True)
    ]


def _warn_of_points_outside(messages: Messages, target: Target, titles: Mapping[str, str]) -> None:
    """Log how many points of the target each truth does not cover; titles are by variable."""
    for title in dict.fromkeys(titles.values()):
        names = [name for name, one in titles.items() if one == title]
        grid = messages.first_grid(messages.by_valid_time(), names)
        if grid is not None and (outside := regridder(grid, target.points).outside.size):
            points = target.points.shape[0] * target.points.shape[1]
            logger.warning("%s has no value at %d of %d points", title, outside, points)
