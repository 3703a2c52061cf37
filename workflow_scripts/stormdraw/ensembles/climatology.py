"""Which hours of the past a climatology is made of."""

import logging
from collections.abc import Sequence
from datetime import datetime

from stormdraw.times import hours

logger = logging.getLogger(__name__)


def climatology_times(
    training_times: Sequence[datetime], valid: datetime, window_hours: int
) -> list[datetime]:
    """Training times whose hour of the day is near that of `valid`, or all if there are none."""
    near = [time for time in training_times if _hours_apart(time, valid) <= window_hours]
    if len(near) >= 2:
        return near
    logger.warning(
        "climatology at %s UTC: training has no such hour of the day; using all %d training hours",
        *(f"{valid:%H}", len(training_times)),
    )
    return list(training_times)


def climatology_size(training_times: Sequence[datetime], window_hours: int) -> int:
    """The most members a climatology can have, at whatever time."""
    start = datetime(2000, 1, 1)
    near = [
        sum(_hours_apart(time, start + hours(hour)) <= window_hours for time in training_times)
        for hour in range(24)
    ]
    return max(near) if min(near) >= 2 else len(training_times)


def _hours_apart(time: datetime, other: datetime) -> int:
    """Distance of two hours of the day around the clock."""
    distance = abs(time.hour - other.hour)
    return min(distance, 24 - distance)
