"""Tables of reports in a folder of one's own."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from stormdraw.archive.stations.settings import StationFiles
from stormdraw.errors import StormdrawError
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
