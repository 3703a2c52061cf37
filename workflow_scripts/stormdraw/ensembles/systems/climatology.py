"""Climatology: training states at the same hour of the day and time of the year."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from stormdraw.ensembles.files import ensemble_file
from stormdraw.ensembles.system import Baseline, CaseToMake, Members
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import absent_times, incomplete_times, read_grid_of, read_states
from stormdraw.times import hours

if TYPE_CHECKING:
    from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

_HOURS_OF_A_DAY = 24
_DAYS_OF_A_YEAR = 365.2425


@dataclass(frozen=True)
class Climatology:
    """Which training hours are members at a valid time.

    They are within `window_hours` of its hour of the day and within `season_days` of its day of the
    year. If there are more than `members`, that many are chosen, spread evenly over the days.
    """

    window_hours: int = 1
    season_days: int = 45
    members: int = 60

    def times(self, training: Sequence[datetime], valid: datetime) -> list[datetime]:
        """The members' valid times, ascending.

        A criterion is dropped if fewer than two training hours meet it.
        """
        found = list(training)
        for near, what in (
            (lambda time: _hours_apart(time, valid) <= self.window_hours, "hour of the day"),
            (lambda time: _days_apart(time, valid) <= self.season_days, "season"),
        ):
            chosen = [time for time in found if near(time)]
            if len(chosen) >= 2:
                found = chosen
            else:
                logger.warning(
                    "climatology at %s UTC: training has no such %s; taking any of it",
                    *(f"{valid:%Y-%m-%d %H}", what),
                )
        return _spread(found, valid, self.members)

    def most(self, training: Sequence[datetime], valid: Iterable[datetime]) -> int:
        """The largest possible number of members at some valid times, whatever their days."""
        largest = 0
        # Only the hours of the day matter.
        for time in {time.hour: time for time in valid}.values():
            near = sum(_hours_apart(other, time) <= self.window_hours for other in training)
            largest = max(largest, near if near >= 2 else len(training))
        return min(self.members, largest)


class ClimatologySystem(Baseline):
    """At most `climatology_members` states of the training period, evenly over the days.

    `window_hours` and `season_days` are the largest distances of a state from the valid hour of the
    day and from the day of the year.
    """

    kind: Literal["climatology"]
    window_hours: Annotated[int, Field(ge=0, le=12)] = 1
    season_days: Annotated[int, Field(ge=0, le=183)] = 45
    climatology_members: Members = 60
    of_training = True

    @property
    def climatology(self) -> Climatology:
        """The choice of training hours."""
        return Climatology(self.window_hours, self.season_days, self.climatology_members)

    def most_members(self, run: Settings) -> int:
        """One for each training hour that may be chosen."""
        return self.climatology.most(run.periods.training_times(), run.valid_times())

    def depends_on(self, run: Settings) -> dict[str, Any]:
        """The hours of the training period."""
        return {"training": run.periods.model_dump(mode="json")["training"]}

    def write(self, made: CaseToMake) -> None:
        """Members (member, lead, y, x); some are missing at leads that have fewer."""
        write_climatology(made, made.run.periods.training_times(), self.climatology)


def write_climatology(
    made: CaseToMake, training_times: Sequence[datetime], climatology: Climatology
) -> None:
    """Write the training states that `climatology` chooses for each lead as members.

    A lead with fewer members than another has missing ones. Hours that the archive lacks and hours
    with missing points are not used. Raises StormdrawError if no hour is left.
    """
    case, paths = made.case, made.analyses
    unusable = absent_times(paths) | incomplete_times(paths, case.variables)
    usable = [time for time in training_times if time not in unusable]
    if not usable:
        raise StormdrawError(
            f"{case.system}: every training hour is absent or has missing points; choose another "
            "periods.training"
        )
    drawn = [climatology.times(usable, case.init + hours(lead)) for lead in case.leads]
    size = max(len(times) for times in drawn)
    notes = {
        "window_hours": np.int32(climatology.window_hours),
        "season_days": np.int32(climatology.season_days),
    }
    grid = read_grid_of(paths[0])
    with ensemble_file(made.output, grid, case, range(size), made.settings, notes) as put:
        for j, times in enumerate(drawn):
            for k, state in enumerate(_padded(paths, case.variables, times, size)):
                put(k, j, state)


def _padded(
    paths: Sequence[Path], names: Sequence[str], times: Sequence[datetime], size: int
) -> Iterator[np.ndarray]:
    """The states at `times`, then missing ones up to `size`."""
    state = np.empty(0)
    for _, state in read_states(paths, names, times):
        yield state
    for _ in range(size - len(times)):
        yield np.full_like(state, np.nan)


def _spread(times: Sequence[datetime], valid: datetime, count: int) -> list[datetime]:
    """At most `count` of the times: of each day the one nearest to the valid hour, then the next.

    If not all days fit, evenly spaced days are taken.
    """
    layers: dict[int, list[datetime]] = {}
    seen: dict[datetime, int] = {}
    for time in sorted(times, key=lambda time: _hours_apart(time, valid)):
        day = time - timedelta(hours=_offset(time, valid))
        seen[day] = seen.get(day, 0) + 1
        layers.setdefault(seen[day], []).append(time)
    chosen: list[datetime] = []
    for layer in layers.values():
        room = min(count - len(chosen), len(layer))
        ordered = sorted(layer)
        # From the middle of each of `room` equal parts.
        chosen += [ordered[(2 * part + 1) * len(ordered) // (2 * room)] for part in range(room)]
    return sorted(chosen)


def _offset(time: datetime, other: datetime) -> int:
    """How many hours later than the other's hour of the day, -12 to 11."""
    half = _HOURS_OF_A_DAY // 2
    return (time.hour - other.hour + half) % _HOURS_OF_A_DAY - half


def _hours_apart(time: datetime, other: datetime) -> int:
    """Distance of two hours of the day around the clock."""
    return abs(_offset(time, other))


def _days_apart(time: datetime, other: datetime) -> int:
    """Distance of two days of the year, across the new year if shorter."""
    distance = abs(time - other) / timedelta(days=1) % _DAYS_OF_A_YEAR
    return round(min(distance, _DAYS_OF_A_YEAR - distance))


SYSTEM = ClimatologySystem
