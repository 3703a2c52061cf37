"""Which cycles there are: the newest one whose files are all at the sources of the archive."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.listing import Listing
from stormdraw.archive.remote import is_there
from stormdraw.archive.request import FileRequest
from stormdraw.archive.series import seconds_from
from stormdraw.archive.session import PatientSession
from stormdraw.archive.sources import Folder, Place, candidates, inventories_of, place_of
from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import hours, now_utc

# An older cycle is no forecast of what comes.
_OLDEST_HOURS = 24

# The simulated archive has all files of a run or an hour so many hours after its time, as HRRR has
# its first ones, but those of what drives.
_SIMULATED_HOURS = 1

_ASKED_AT_ONCE = 8

# The settings of a forecast from one cycle.
RunOf = Callable[[datetime], Settings]


@dataclass(frozen=True)
class Sighting:
    """The files that a cycle needs, and those of them that are not there at some time."""

    cycle: datetime
    needed: int
    absent: tuple[FileRequest, ...]

    @property
    def in_part(self) -> bool:
        """Whether some files are there and others are not."""
        return 0 < len(self.absent) < self.needed

    @property
    def lacking(self) -> str:
        """`1 of 2 files: hrrr sfc of 2026-06-02 09 UTC + 0 h`."""
        first, *others = map(str, self.absent)
        more = f" and {len(others)} more" if others else ""
        return f"{len(self.absent)} of {self.needed} files: {first}{more}"

    def __str__(self) -> str:
        return f"{self.cycle:%Y-%m-%d %H} UTC lacks {self.lacking}"


def now_of(run: Settings) -> datetime:
    """The time in UTC, by the clock of the simulated archive if it has one."""
    simulated = run.archive.simulated.now if run.simulated else None
    return simulated or now_utc()


def newest_cycle(run_of: RunOf, now: datetime) -> tuple[datetime, list[Sighting]]:
    """The newest cycle whose files are all there, and the newer ones, which lack some or all.

    Raises StormdrawError if there is none of the last day, or if a server does not answer.
    """
    newest = now.replace(minute=0, second=0, microsecond=0)
    passed: list[Sighting] = []
    for age in range(_OLDEST_HOURS + 1):
        cycle = newest - hours(age)
        run = run_of(cycle)
        if cycle.hour % run.archive.base_model.cycle_hours:
            continue
        seen = sighting(run, cycle, now)
        if not seen.absent:
            return cycle, passed
        passed.append(seen)
    partly = next((f"; {one}" for one in passed if one.in_part), "")
    raise StormdrawError(
        f"cycle=latest: no cycle of the last {_OLDEST_HOURS} h before {now:%Y-%m-%d %H:%M} UTC is "
        f"there{partly}; see to archive.source, or give a time"
    )


def require_there(run_of: RunOf, cycles: Iterable[datetime], now: datetime) -> None:
    """Raise StormdrawError if files of a cycle are not there."""
    for cycle in cycles:
        seen = sighting(run_of(cycle), cycle, now)
        if seen.absent and not seen.in_part:
            raise StormdrawError(
                f"cycle={cycle:%Y%m%d%H}: none of its {seen.needed} files is there, as "
                f"{seen.absent[0]}; give an earlier one, or latest"
            )
        if seen.absent:
            raise StormdrawError(f"cycle={seen}; wait for it, or give an earlier one or latest")


def sighting(run: Settings, cycle: datetime, now: datetime) -> Sighting:
    """Look for the files of a cycle."""
    files = needed_files(run)
    if run.simulated:
        absent = [file for file in files if published(run, file) > now]
    else:
        place = place_of(run)
        listing = Listing(place)
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool, PatientSession() as session:
            there = list(pool.map(lambda file: _is_at(place, file, session, listing), files))
        absent = [file for file, found in zip(files, there, strict=True) if not found]
    return Sighting(cycle, len(files), tuple(absent))


def needed_files(run: Settings) -> list[FileRequest]:
    """The files of a run, each once."""
    by_date = (requests_by_date(run, source).values() for source in used_sources(run))
    return list({str(file): file for days in by_date for files in days for file in files}.values())


def published(run: Settings, file: FileRequest) -> datetime:
    """When the simulated archive has a file: later than usual if its run is late."""
    simulated, driving = run.archive.simulated, run.archive.driving
    usual = _SIMULATED_HOURS
    if driving is not None and file.model == driving_model(driving.model).model:
        usual = driving.latency_hours
    return file.init + timedelta(hours=usual + simulated.late.get(file.init, 0))


def _is_at(place: Place, file: FileRequest, session: PatientSession, listing: Listing) -> bool:
    """Whether any source has a file and, over the network, its inventory, which comes later."""
    if file.series is not None:
        valid = file.init + hours(file.lead)
        nearest = next(iter(listing.by_nearness(file.series, valid)), None)
        return (
            nearest is not None and abs(seconds_from(valid, nearest.time)) <= file.series.tolerance
        )
    addresses = candidates(file, place).values()
    if isinstance(place, Folder):
        return any(Path(address).is_file() for address in addresses)
    return any(
        is_there(session, file, address)
        and any(is_there(session, file, one) for one in inventories_of(file, address))
        for address in addresses
    )
