"""The products of one ensemble, among those of all that may win."""

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
    """Make the winner's products, in `folder`/{system}/, available as `outputs` of the same names.

    Where report.products_of names the system, or there is one candidate, no summary is needed.
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
    """The same file under another name, where the file system can, else a copy; no older.

    A linked file has one time under both names: with the same one for all, `now` in nanoseconds
    since 1970, no output is older than an input.
    """
    with replacing(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.utime(temporary, ns=(now, now))
