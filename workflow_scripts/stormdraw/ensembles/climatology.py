"""Which hours of the past a climatology is made of."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

logger = logging.getLogger(__name__)

_HOURS_OF_A_DAY = 24
_DAYS_OF_A_YEAR = 365.2425


@dataclass(frozen=True)
class Climatology:
    """The training hours that are members at a valid time.

    They are within `window_hours` of its hour of the day and within `season_days` of its day of the
    year. Of more than `members` as many are taken, spread evenly over the days.
    """

    window_hours: int = 1
    season_days: int = 45
    members: int = 60

    def times(self, training: Sequence[datetime], valid: datetime) -> list[datetime]:
        """The members' times, ascending.

        Where training saw that hour of the day, or that season, less than twice, it does not count.
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
        """The most members that it can have at some times, whatever their days are."""
        largest = 0
        # Only their hours of the day count.
        for time in {time.hour: time for time in valid}.values():
            near = sum(_hours_apart(other, time) <= self.window_hours for other in training)
            largest = max(largest, near if near >= 2 else len(training))
        return min(self.members, largest)


def _spread(times: Sequence[datetime], valid: datetime, count: int) -> list[datetime]:
    """At most `count` of the times: of each day the one nearest to the valid hour, then the next.

    Where there is no room for one more of every day, the days are taken evenly.
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
        # From the middle of each of so many equal parts.
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
    """Distance of two days of the year around it."""
    distance = abs(time - other) / timedelta(days=1) % _DAYS_OF_A_YEAR
    return round(min(distance, _DAYS_OF_A_YEAR - distance))
