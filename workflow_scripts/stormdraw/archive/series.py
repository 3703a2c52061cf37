"""Files of an instant each, at times that nobody knows beforehand."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Series:
    """A series of which the file nearest to a time is wanted, gzipped, with one message in it.

    `bucket` is its name on AWS; `folder` and `name` are formats of `strftime`: of the folder of a
    day, and of a file in it. Files that are more than `tolerance` seconds away do not count.
    `parameter` is the message's discipline, category and number, and `spacing` that of its grid of
    latitudes and longitudes in degrees. `file_bytes` is about what a file takes, unpacked.
    """

    bucket: str
    folder: str
    name: str
    tolerance: int
    parameter: tuple[int, int, int]
    spacing: float
    file_bytes: int

    def time_of(self, name: str) -> datetime | None:
        """The time in the name of a file; None for a file that is none of the series."""
        try:
            return datetime.strptime(name, self.name)
        except ValueError:
            return None


def seconds_from(valid: datetime, time: datetime) -> int:
    """How many seconds a time is after a valid time, negative before it."""
    return round((time - valid).total_seconds())


def in_words(seconds: int) -> str:
    """Seconds after a time, or before it."""
    return f"{abs(seconds)} s {'before' if seconds < 0 else 'after'} the hour"
