"""Tables of reports in a folder of one's own."""

import contextlib
import csv
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from stormdraw.archive.stations.settings import Column, StationFiles
from stormdraw.archive.stations.wanted import excluded_stations
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import DATE_FORMAT, span_of

# UTF-8, with or without the mark that Excel writes first.
ENCODING = "utf-8-sig"

# In a file's name, a day of its reports. Other numbers of eight digits are a station's.
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})-?(\d{2})-?(\d{2})(?!\d)")


def files_of(source: StationFiles, date: str | None = None) -> list[Path]:
    """The files of a folder, CSV and Parquet; of a day, those that can have reports it needs.

    A file with a day in its name (20180722 or 2018-07-22) has reports of that day only, and one
    with two of those from the first to the last. It is read for these, the day before and the day
    after. Raises StormdrawError if there is no such folder, or nothing in it.
    """
    folder = Path(source.files).expanduser()
    paths = sorted([*folder.glob("*.csv"), *folder.glob("*.parquet")])
    if not paths:
        raise StormdrawError(
            f"archive.stations.source.files: {folder} has no .csv or .parquet; give the folder of "
            "the reports"
        )
    if date is None:
        return paths
    first, last = span_of(date)
    day = timedelta(days=1)
    return [
        path
        for path in paths
        if not (days := _days(path)) or (min(days) - day <= last and first < max(days) + 2 * day)
    ]


def _days(path: Path) -> list[datetime]:
    """The days in a file's name."""
    days = []
    for found in _DAY.findall(path.stem):
        with contextlib.suppress(ValueError):
            days.append(datetime.strptime("".join(found), DATE_FORMAT))
    return days


def require_readable(settings: Settings) -> None:
    """Raise StormdrawError if a list of excluded stations or the run's own files are not there, or
    if the first file lacks a column."""
    stations = settings.archive.stations
    if stations is None:
        return
    excluded_stations(stations)
    if isinstance(stations.source, StationFiles):
        path = files_of(stations.source)[0]
        require_columns(path, _names_in(path), stations.columns)


def require_columns(path: Path, found: Iterable[str], columns: Mapping[str, Column]) -> None:
    """Raise StormdrawError if a file, which has the columns `found`, lacks one or has it twice."""
    found = list(found)
    wanted = {column.name for column in columns.values()}
    lacking = sorted(wanted - set(found))
    if lacking:
        raise StormdrawError(
            f"archive.stations.source.columns: {path} has no column {', '.join(lacking)}; its "
            f"columns are {', '.join(found)}"
        )
    twice = sorted(name for name in wanted if found.count(name) > 1)
    if twice:
        raise StormdrawError(
            f"archive.stations.source.columns: {path} has more than one column {', '.join(twice)}; "
            "leave one of each"
        )


def _names_in(path: Path) -> list[str]:
    """The names of a file's columns, of which no more is read."""
    try:
        if path.suffix == ".parquet":
            # Here, since few configurations need it.
            import pyarrow.parquet

            return pyarrow.parquet.read_schema(path).names
        with open(path, encoding=ENCODING, newline="") as stream:
            return next(csv.reader(line for line in stream if not line.startswith("#")), [])
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise StormdrawError(f"{path}: cannot be read: {said}") from None
