"""The folder of all forecasts, `results/forecasts`, and what it has of a cycle."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from stormdraw.times import format_init

FOLDER = Path("results/forecasts")


def page_of(cycle: datetime) -> Path:
    """The page of a cycle."""
    return FOLDER / format_init(cycle) / "index.html"


def drawn(cycle: datetime, systems: Iterable[str]) -> bool:
    """Whether the members of some systems of a cycle are there."""
    return _has(cycle, "ensembles", systems)


def scored(cycle: datetime, systems: Iterable[str]) -> bool:
    """Whether a cycle of some systems was scored."""
    return _has(cycle, "scores", systems)


def _has(cycle: datetime, stage: str, systems: Iterable[str]) -> bool:
    name = f"{format_init(cycle)}.nc"
    return all((FOLDER / stage / system / name).exists() for system in systems)
