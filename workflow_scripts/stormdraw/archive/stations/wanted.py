"""Which reports of stations a run needs: variables, days, hours, and the stations left out."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stormdraw.archive.stations.settings import StationFiles, Stations
from stormdraw.errors import StormdrawError
from stormdraw.variables import scored_variables

if TYPE_CHECKING:
    from stormdraw.settings import Settings


def station_hours(settings: "Settings") -> dict[str, list[datetime]]:
    """The hours that forecasts are compared at, by day (YYYYMMDD), of a forecast by
    hour; none without stations."""
    by_date: dict[str, list[datetime]] = {}
    if settings.archive.stations is not None:
        for time in settings.compared_times():
            by_date.setdefault(settings.folder_of(time), []).append(time)
    return by_date


def station_variables(settings: "Settings") -> tuple[str, ...]:
    """The scored variables that the run's stations report, in the order of the run."""
    stations = settings.archive.stations
    reported = stations.variables if stations is not None else ()
    return tuple(name for name in scored_variables(settings.variables) if name in reported)


def excluded_stations(stations: Stations) -> frozenset[str]:
    """The names in `exclude`, from its file where it names one: one a line, `#` starts a remark.

    Raises StormdrawError if there is no such file.
    """
    if isinstance(stations.exclude, list):
        return frozenset(stations.exclude)
    path = Path(stations.exclude).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StormdrawError(
            f"archive.stations.exclude: {path} cannot be read ({error}); give a file with one "
            "station a line, or a list of stations"
        ) from None
    return frozenset(name for line in lines if (name := line.partition("#")[0].strip()))


def require_stations(settings: "Settings") -> None:
    """Raise ValueError if no reports can come of `archive.stations`."""
    stations = settings.archive.stations
    if stations is None:
        return
    simulated, files = settings.simulated, stations.source
    if simulated and (isinstance(files, StationFiles) or stations.networks):
        raise ValueError(
            "archive.stations: the simulated archive has stations of its own; leave source and "
            "networks out"
        )
    if not simulated and files == "iem" and not stations.networks:
        raise ValueError(
            "archive.stations.networks is empty; name networks of IEM, such as [ID_ASOS, MT_ASOS]"
        )
    if not station_variables(settings):
        raise ValueError(
            f"archive.stations: stations report {', '.join(stations.variables)}, and this run "
            f"forecasts {', '.join(settings.variables)}; leave stations out"
        )
