# What the rules of the archive depend on: the requested files, and the paths of their manifests.

import functools

from stormdraw.archive.stations.own_files import files_of
from stormdraw.archive.stations.settings import StationFiles
from stormdraw.archive.stations.wanted import (
    excluded_stations,
    station_hours,
    station_variables,
)
from stormdraw.archive.wanted import requests_by_date, used_sources

SIMULATED = "<results>/archive/simulated"
SIMULATED_WORLD = "<results>/archive/simulated_world.nc"
# The simulated archive replaces the cloud as a mirror folder. That of forecasts grows by the clock,
# as the cloud does, so it is no output of a job (`stormdraw.simulated.growing`).
MIRROR = SIMULATED if SETTINGS.simulated and not SETTINGS.cycle else []

# What decides where files come from. A file that a cycle lacks is no reason to fetch those it has.
WHERE_FROM = {"source"} if SETTINGS.cycle else {"source", "missing"}


@functools.cache
def wanted_of(source):
    """A source's files by day, listed only once since a year has thousands."""
    return requests_by_date(SETTINGS, source)


def manifests(source):
    return expand(
        "<results>/archive/{source}/{date}/manifest.csv",
        source=source,
        date=sorted(wanted_of(source)),
    )


def all_manifests():
    return [path for source in used_sources(SETTINGS) for path in manifests(source)]


STATIONS = SETTINGS.archive.stations
STATION_HOURS = station_hours(SETTINGS)
_ASKS_IEM = STATIONS is not None and STATIONS.source == "iem" and not SETTINGS.simulated
STATION_DOWNLOADS = 1 if _ASKS_IEM else 0
STATION_REPORTS = expand("<results>/archive/stations/{date}.parquet", date=sorted(STATION_HOURS))
STATION_QUALITY = expand(
    "<results>/archive/stations/quality/{date}.csv", date=sorted(STATION_HOURS)
)


def station_files(date):
    """The run's own files of reports that may have some of a day."""
    if STATIONS is None or not isinstance(STATIONS.source, StationFiles):
        return []
    return files_of(STATIONS.source, date)


def station_settings(date):
    """What decides which reports of a day are taken, and which are dropped."""
    return [
        SETTINGS.archive.model_dump(mode="json", include={"stations", "missing"}),
        sorted(excluded_stations(STATIONS)),
        station_variables(SETTINGS),
        STATION_HOURS[date],
    ]
