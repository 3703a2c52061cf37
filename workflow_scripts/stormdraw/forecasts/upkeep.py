"""Removes the forecasts that are too old, with all that belongs to them alone."""

import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.settings import Settings
from stormdraw.times import format_init, parse_init

# The files of a forecast's hour; those of a study are named by days.
_HOUR = re.compile(r"\d{10}")
_RESULTS = Path("results")


def cycles_there() -> list[datetime]:
    """The cycles whose pages are there, ascending."""
    pages = _RESULTS.glob("forecasts/*/index.html")
    return sorted(
        parse_init(page.parent.name) for page in pages if _HOUR.fullmatch(page.parent.name)
    )


def remove_before(oldest: datetime, run: Settings) -> list[datetime]:
    """Remove the cycles before `oldest`, and return them.

    `run` is the forecast of all cycles that are there. What it needs of later cycles stays, and so
    do the members of a case that was scored.
    """
    old = [cycle for cycle in run.cycle if cycle < oldest]
    kept = run.model_copy(update={"cycle": [cycle for cycle in run.cycle if cycle >= oldest]})
    for cycle in old:
        name = format_init(cycle)
        for system in run.ensembles.systems:
            if not (_RESULTS / "scores" / system.name / f"{name}.nc").exists():
                _remove([_RESULTS / "ensembles" / system.name / f"{name}.nc"])
        _remove(_RESULTS.glob(f"logs/*/*/{name}.log"))
        _remove(_RESULTS.glob(f"benchmarks/*/*/{name}.tsv"))
    for source in used_sources(run):
        unused = requests_by_date(run, source).keys() - requests_by_date(kept, source).keys()
        for name in unused:
            _remove([_RESULTS / "archive" / source / name])
            _remove(_RESULTS.glob(f"fields/**/{source}/{name}.*"))
    # Last, since they say that there is something to remove.
    _remove(_RESULTS / "forecasts" / format_init(cycle) for cycle in old)
    return old


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
