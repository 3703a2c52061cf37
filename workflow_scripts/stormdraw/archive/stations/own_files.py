"""Tables of reports in a folder of one's own."""

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from stormdraw.archive.stations.settings import Column, StationFiles
from stormdraw.archive.stations.wanted import excluded_stations
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import DATE_FORMAT

# In a file's name, the day of its reports.
_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


def files_of(source: StationFiles, date: str | None = None) -> list[Path]:
    """The files of a folder, CSV and Parquet; of a day, those that can have reports it needs.

    A file with a day in its name (20180722 or 2018-07-22) has reports of that day only, so it is
    read for that day, the one before and the one after. Raises StormdrawError if there is no such
    folder, or nothing in it.
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
    midnight = datetime.strptime(date, DATE_FORMAT)
    near = {f"{midnight + timedelta(days=days):{DATE_FORMAT}}" for days in (-1, 0, 1)}
    return [path for path in paths if not (days := _days(path)) or near.intersection(days)]


def _days(path: Path) -> list[str]:
    return ["".join(found) for found in _DAY.findall(path.stem)]


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
    """Raise StormdrawError if a file, which has the columns `found`, lacks one."""
    lacking = sorted({column.name for column in columns.values()} - set(found))
    if lacking:
        raise StormdrawError(
            f"archive.stations.source.columns: {path} has no column {', '.join(lacking)}; its "
            f"columns are {', '.join(found)}"
        )


def _names_in(path: Path) -> list[str]:
    """The names of a file's columns, of which no more is read."""
    try:
        if path.suffix == ".parquet":
            # Here, since few configurations need it.
            import pyarrow.parquet

            return pyarrow.parquet.read_schema(path).names
        with open(path, encoding="utf-8", newline="") as stream:
            return next(csv.reader(line for line in stream if not line.startswith("#")), [])
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise StormdrawError(f"{path}: cannot be read: {said}") from None
