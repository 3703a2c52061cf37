"""Removes the forecasts that are too old, with all that belongs to them alone."""

import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.forecasts.folder import FOLDER
from stormdraw.settings import Settings
from stormdraw.times import format_init, parse_init

# What is of an hour.
_HOUR = re.compile(r"\d{10}")
_RESULTS = Path("results")


def cycles_there() -> list[datetime]:
    """The cycles whose pages are there, ascending."""
    pages = FOLDER.glob("*/index.html")
    return sorted(
        parse_init(page.parent.name) for page in pages if _HOUR.fullmatch(page.parent.name)
    )


def remove_before(oldest: datetime, run: Settings) -> list[datetime]:
    """Remove the cycles before `oldest`, and return them.

    `run` is the forecast of all cycles that are there. What it needs of later cycles stays, and so
    do the scores of what was verified.
    """
    old = [cycle for cycle in run.cycle if cycle < oldest]
    kept = run.model_copy(update={"cycle": [cycle for cycle in run.cycle if cycle >= oldest]})
    for cycle in old:
        name = format_init(cycle)
        _remove(FOLDER.glob(f"ensembles/*/{name}.*"))
        _remove([FOLDER / "points" / f"{name}.nc"])
        _remove(_RESULTS.glob(f"logs/*/*/{name}.*"))
        _remove(_RESULTS.glob(f"benchmarks/*/*/{name}.*"))
    sources = used_sources(kept)
    needed = {name for source in sources for name in requests_by_date(kept, source)}
    before = format_init(oldest)
    _remove(
        path
        for pattern in ("archive/*/*", "archive/stations/*/*", "fields/*/*", "fields/*/*/*")
        for path in FOLDER.glob(pattern)
        if _HOUR.fullmatch(path.stem) and path.stem < before and path.stem not in needed
    )
    # Last, since they say that there is something to remove.
    _remove(FOLDER / format_init(cycle) for cycle in old)
    return old


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
