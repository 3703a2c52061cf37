"""One day of the truth if it is not the analysis: `results/fields/truth/{date}.nc`."""

import functools
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from stormdraw.fields.decoding import Messages
from stormdraw.fields.normalise import time_coordinate
from stormdraw.fields.regridding import regridder
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Content, Destination, Piece, read_together, write_fields
from stormdraw.times import format_init

logger = logging.getLogger(__name__)


def write_truth(
    manifest_path: Path,
    analysis_paths: Sequence[Path],
    names: Sequence[str],
    truth: str,
    analysis: str,
    destination: Destination,
    no_echo: float | None = None,
) -> None:
    """Write each variable (time, y, x) on the analyses' grid: from the truth if it has it.

    `truth` and `analysis` are the names of the two. Variables that the truth lacks come from the
    analyses; each variable's attribute `source` says which it is. Points beyond the truth's grid
    are missing, as is a variable that the archive lacks at an hour. An hour for which the archive
    has nothing is left out and listed in the attribute `absent_times`. `no_echo` is what the model
    of the truth writes where there is none, in dBZ.
    """
    messages = Messages(manifest_path)
    own = [name for name in names if name in set(messages.table["variable"])]
    others = tuple(name for name in names if name not in own)
    wanted = messages.by_valid_time()
    not_analysed = absent_times(analysis_paths) if others else {one.valid for one in wanted}
    present = [one for one in wanted if one.valid not in not_analysed or one.any_of(own)]
    absent = sorted({one.valid for one in wanted} - {one.valid for one in present})
    target = Target.of_file(analysis_paths[0], destination.fields)
    _warn_of_points_outside(messages, target, truth)
    suspicious = destination.fields.suspicious
    analyses = StateReader(analysis_paths, others)
    pieces = []
    for index, listed in enumerate(present):
        checks = Checks(listed.valid, suspicious, no_echo=no_echo)
        for group in read_together(own):
            pieces.append(Piece((index,), group, checks, messages.reading(listed, group)))
        if others:
            read = None
            if listed.valid not in not_analysed:
                read = functools.partial(_analysis, analyses, listed.valid, target)
            # They were checked when the analyses were written.
            pieces.append(
                Piece((index,), others, Checks(listed.valid, suspicious, bounded=False), read)
            )
    content = Content(
        "Hourly truth",
        f"{truth} GRIB2 of {manifest_path.parent.name}",
        {name: name for name in names},
        {"time": time_coordinate([listed.valid for listed in present])},
        {"absent_times": " ".join(map(format_init, absent))},
        {name: truth if name in own else analysis for name in names},
    )
    write_fields(content, pieces, target, destination)


def _analysis(analyses: StateReader, valid: datetime, target: Target) -> list[SourceField]:
    """The analysis at a time, which is on the target grid already."""
    origin = str(analyses.path_of(valid))
    return [
        SourceField(name, values, target.grid, origin)
        for name, values in zip(analyses.names, analyses.read(valid), strict=True)
    ]


def _warn_of_points_outside(messages: Messages, target: Target, truth: str) -> None:
    grid = messages.first_grid(messages.by_valid_time())
    if grid is not None and (outside := regridder(grid, target.points).outside.size):
        points = target.points.shape[0] * target.points.shape[1]
        logger.warning("%s has no value at %d of %d points", truth, outside, points)
