"""Times in the archive's formats: `{init}` is YYYYMMDDHH, `{date}` is YYYYMMDD, all in UTC."""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

INIT_FORMAT = "%Y%m%d%H"
DATE_FORMAT = "%Y%m%d"


def format_init(time: datetime) -> str:
    """2026-06-08 06:00 -> '2026060806'."""
    return time.strftime(INIT_FORMAT)


def parse_init(text: str) -> datetime:
    """'2026060806' -> 2026-06-08 06:00."""
    return datetime.strptime(text, INIT_FORMAT)


def format_date(time: datetime) -> str:
    """2026-06-08 06:00 -> '20260608'."""
    return time.strftime(DATE_FORMAT)


def span_of(name: str) -> tuple[datetime, datetime]:
    """The first and last hour of a day, '20260608', or of an hour, '2026060806', which is both."""
    if len(name) == len("YYYYMMDD"):
        midnight = datetime.strptime(name, DATE_FORMAT)
        return midnight, midnight + hours(23)
    return parse_init(name), parse_init(name)


def now_utc() -> datetime:
    """The current time in UTC, without a time zone like all times here."""
    return datetime.now(UTC).replace(tzinfo=None)


@functools.cache
def hours(count: int) -> timedelta:
    """`count` hours as a timedelta."""
    return timedelta(hours=count)


def hourly(start: datetime, end: datetime, every: int = 1) -> Iterator[datetime]:
    """Times from `start` to `end`, both included, `every` hours apart."""
    time = start
    while time <= end:
        yield time
        time += hours(every)
