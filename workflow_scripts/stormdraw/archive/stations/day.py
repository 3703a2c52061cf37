"""A day of reports of stations: read, put to full hours, checked and written."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from stormdraw.archive.stations.checks import at_one_place, check
from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.full_hours import at_full_hours
from stormdraw.archive.stations.iem import SERVICE, Asked, fetch
from stormdraw.archive.stations.own_files import files_of
from stormdraw.archive.stations.reports import read_reports
from stormdraw.archive.stations.settings import STUCK_HOURS, StationFiles, Stations
from stormdraw.archive.stations.table import IDENTITY, no_reports, write_stations
from stormdraw.archive.stations.wanted import (
    excluded_stations,
    station_hours,
    station_variables,
)
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import format_date, hours, span_of

logger = logging.getLogger(__name__)

_IEM = "airports' reports in Iowa State University's archive (IEM)"


def write_day(
    settings: Settings,
    date: str,
    path: Path,
    quality: Path,
    simulated: Path | None = None,
    service: str = SERVICE,
) -> None:
    """Write the reports of a day (YYYYMMDD) at the hours of the run, and what was dropped of them.

    Those of a forecast are of an hour (YYYYMMDDHH).

    Answers of IEM are kept beside them, below `iem`. `simulated` is the folder of the simulated
    archive. Raises StormdrawError if reports cannot be had or read; also if there are none, unless
    `archive.missing` lets the archive lack some.
    """
    stations = settings.archive.stations
    wanted = station_hours(settings).get(date)
    if stations is None or wanted is None:
        raise StormdrawError(f"stations: the configuration needs none of {date}")
    dropped = Dropped()
    variables = station_variables(settings)
    tables = _tables(stations, date, path.parent / "iem", simulated, service, dropped)
    first, last = window(date, stations.tolerance)
    parts = [table[table["reported"].between(first, last)] for table in tables]
    if not sum(map(len, parts)):
        _require_absence_allowed(settings, date)
        table = no_reports(variables)
    else:
        reports = at_one_place(pd.concat(parts, ignore_index=True), dropped)
        table = at_full_hours(reports, stations.tolerance)
        table = check(table[[*IDENTITY, *variables]], excluded_stations(stations), dropped)
        table = table[table["valid"].isin(wanted)]
    dropped.write(quality, wanted)
    write_stations(
        path,
        table,
        variables,
        f"Reports of weather stations on {date}",
        _origin(stations, simulated),
        settings.archive.model_dump(mode="json", include={"stations"}),
    )
    logger.info(
        "%d stations, %d reports at %d hours, %d values dropped",
        table["station"].nunique(),
        len(table),
        len(wanted),
        dropped.table()["valid"].isin(wanted).sum(),
    )


def _origin(stations: Stations, simulated: Path | None) -> str:
    if isinstance(stations.source, StationFiles):
        return f"files in {stations.source.files}"
    return _IEM if simulated is None else "the simulated archive"


def window(date: str, tolerance: timedelta) -> tuple[datetime, datetime]:
    """The first and last time of reports that a day or an hour needs, with those before it for the
    check of stuck sensors."""
    first, last = span_of(date)
    return first - hours(STUCK_HOURS) - tolerance, last + tolerance


def _tables(
    stations: Stations,
    date: str,
    folder: Path,
    simulated: Path | None,
    service: str,
    dropped: Dropped,
) -> list[pd.DataFrame]:
    """The reports of each file that has some of the day."""
    if isinstance(stations.source, StationFiles):
        return [
            read_reports(path, stations.columns, dropped)
            for path in files_of(stations.source, date)
        ]
    if simulated is not None:
        paths = sorted((simulated / "iem" / format_date(span_of(date)[0])).glob("*.csv"))
    else:
        first, last = window(date, stations.tolerance)
        asked = [Asked(network, first, last) for network in stations.networks]
        paths = fetch(folder, date, asked, service)
    return [read_reports(path, stations.columns, dropped, path.stem) for path in paths]


def _require_absence_allowed(settings: Settings, date: str) -> None:
    if settings.archive.missing == "fail":
        raise StormdrawError(
            f"archive.stations: there is no report of {date}; correct its networks or files, or "
            "set archive.missing to skip"
        )
    logger.warning("no report of %s", date)
