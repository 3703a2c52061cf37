"""The cycles that can be verified: those drawn before, of which the truth has come."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stormdraw.archive.manifest import ABSENT, read_manifest
from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import verified_configuration
from stormdraw.forecasts.cycles import now_of, sighting
from stormdraw.forecasts.folder import FOLDER, drawn, scored
from stormdraw.forecasts.start import Start
from stormdraw.settings import Settings, load_settings
from stormdraw.times import format_init, hours, parse_init

# A reference or a truth that has not come so long after the last valid time will not come.
_PATIENCE_HOURS = 24

# Reports of stations come in for so long after they were made.
_REPORTS_HOURS = 3

RunOf = Callable[[datetime], Settings]


@dataclass(frozen=True)
class _Readiness:
    """Whether a cycle can be verified, what to say of it, and its outdated manifests."""

    can_be: bool
    remark: str = ""
    outdated: tuple[Path, ...] = ()


def verification_of(config: Mapping[str, Any], files: Iterable[Path], looks: bool) -> Start:
    """The start of a verification: of all cycles that were drawn and whose truth is there.

    Those scored before stay as they are. Without `looks` they are those of the key `cycle`, and no
    archive is asked. Raises StormdrawError if the configuration is wrong or names cycles, or there
    is no cycle.
    """
    files = list(files)
    if looks and "cycle" in config:
        raise StormdrawError(
            f"cycle={config['cycle']}: verify takes all cycles that were drawn; leave it out"
        )
    made = verified_configuration(config, files)
    if not looks:
        return Start(made, [])

    def run_of(cycle: datetime) -> Settings:
        return load_settings({**made, "cycle": [int(format_init(cycle))]}, *files)

    found = {cycle: _readiness(cycle, run_of, made) for cycle in _cycles_seen()}
    remarks = [
        f"{cycle:%Y-%m-%d %H} UTC {one.remark}" for cycle, one in found.items() if one.remark
    ]
    cycles = [cycle for cycle, one in found.items() if one.can_be]
    if not any(drawn(cycle, _drawn_systems(made)) for cycle in cycles):
        told = "".join(f"; {remark}" for remark in remarks)
        raise StormdrawError(
            f"verify: {FOLDER} has no cycle with members whose truth has come{told}; "
            "forecast first, with --config cycle=latest, or wait"
        )
    return Start(
        {**made, "cycle": [int(format_init(cycle)) for cycle in cycles]},
        remarks,
        [path for one in found.values() for path in one.outdated],
    )


def _cycles_seen() -> list[datetime]:
    """The cycles that have members or scores, ascending."""
    paths = [*FOLDER.glob("ensembles/*/*.nc"), *FOLDER.glob("scores/*/*.nc")]
    names = {path.stem for path in paths if path.stem.isdigit()}
    return sorted(parse_init(name) for name in names)


def _drawn_systems(made: Mapping[str, Any]) -> list[str]:
    return [raw["name"] for raw in made["ensembles"]["systems"] if "model" in raw]


def _readiness(cycle: datetime, run_of: RunOf, made: Mapping[str, Any]) -> _Readiness:
    every = [raw["name"] for raw in made["ensembles"]["systems"]]
    if scored(cycle, every):
        return _Readiness(True)
    absent = [name for name in _drawn_systems(made) if not drawn(cycle, [name])]
    if absent:
        return _Readiness(False, f"is left out: it has no members of {', '.join(absent)}")
    try:
        run = run_of(cycle)
    except StormdrawError as error:
        return _Readiness(False, f"is left out: {error}")
    now, last = now_of(run), cycle + hours(max(run.leads))
    if run.archive.stations is not None and now < last + hours(_REPORTS_HOURS):
        return _Readiness(False, f"waits for reports of stations, for {_REPORTS_HOURS} h")
    seen = sighting(run, cycle, now)
    if not seen.absent:
        return _Readiness(True, outdated=tuple(_outdated(run)))
    if now < last + hours(_PATIENCE_HOURS):
        return _Readiness(False, f"waits for {seen.lacking}")
    if any(file.model == run.archive.model and not file.member for file in seen.absent):
        return _Readiness(False, f"is left out: it lacks {seen.lacking}, which never came")
    return _Readiness(True, f"is verified without {seen.lacking}, which never came")


def _outdated(run: Settings) -> Iterator[Path]:
    """The manifests of a run that list a file as absent: by now it is there."""
    for source in used_sources(run):
        for name in requests_by_date(run, source):
            manifest = FOLDER / "archive" / source / name / "manifest.csv"
            if manifest.exists() and (read_manifest(manifest)["status"] == ABSENT).any():
                yield manifest
