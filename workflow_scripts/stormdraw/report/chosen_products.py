"""Publish the winner's products, chosen from those of all candidates."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.report.summary import load_summary
from stormdraw.report.winner import choose
from stormdraw.settings import Settings


def choose_products(
    settings: Settings, summary_path: Path | None, folder: Path, outputs: Sequence[Path]
) -> None:
    """Link the winner's files in `folder`/{system}/ to the `outputs` of the same names.

    No summary is needed if report.products_of names the system or there is only one candidate.
    Raises StormdrawError if no system can win.
    """
    winner = choose(load_summary(summary_path) if summary_path is not None else None, settings)
    if winner is None:
        raise StormdrawError(
            "no ensemble to write products of: add a system that samples a model, or name one in "
            "report.products_of"
        )
    now = time.time_ns()
    for output in outputs:
        _same_file(folder / winner.system / output.name, output, now)


def _same_file(source: Path, target: Path, now: int) -> None:
    """Hard-link `source` to `target`, or copy it where the file system cannot link.

    A hard link shares its modification time with the source. Setting all of them to `now`
    (nanoseconds since 1970) keeps every output at least as new as every input.
    """
    with replacing(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.utime(temporary, ns=(now, now))
