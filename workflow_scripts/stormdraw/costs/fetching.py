"""What is fetched: files of an archive, messages in them, and their bytes."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from stormdraw.archive.request import FileRequest
from stormdraw.archive.stations.settings import STUCK_HOURS
from stormdraw.archive.stations.wanted import station_hours
from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.costs.message_sizes import INVENTORY_BYTES, file_bytes, message_bytes
from stormdraw.fields.expected_grid import archive_shape
from stormdraw.settings import Settings
from stormdraw.times import hours


@dataclass(frozen=True)
class Fetching:
    """Files and bytes of one source; `over_network` are the bytes that come over the network."""

    files: int
    bytes: int
    over_network: int


# Assumed, not measured: fifty airports in a network, the size of a state's, each of which reports
# twice an hour. A line of our columns has 95 bytes.
_STATIONS_OF_A_NETWORK = 50
_REPORTS_AN_HOUR = 2
_REPORT_BYTES = 95


def fetching_stations(settings: Settings) -> Fetching | None:
    """The total of fetching reports of stations, roughly; None if none come over the network."""
    stations = settings.archive.stations
    if stations is None or not stations.networks:
        return None
    days = station_hours(settings)
    requests = len(days) * len(stations.networks)
    lines = _STATIONS_OF_A_NETWORK * _REPORTS_AN_HOUR * (24 + STUCK_HOURS)
    size = requests * lines * _REPORT_BYTES
    return Fetching(requests, size, size)


def wanted_files(settings: Settings) -> dict[str, list[FileRequest]]:
    """For each source of the archive that a run uses, the files it needs, each once."""
    files = {}
    for source in used_sources(settings):
        found = (
            # Two members may share a file: the older of a cycle is the newer of an earlier one.
            dataclasses.replace(file, member="") if file.member else file
            for day in requests_by_date(settings, source).values()
            for file in day
            if not file.excluded
        )
        files[source] = list(dict.fromkeys(found))
    return {source: found for source, found in files.items() if found}


def states(settings: Settings, source: str, files: Iterable[FileRequest]) -> int:
    """The number of states in some files of a source.

    A state may come from several files: of several products and, for the analysis of an hour, of a
    run and of the one before.
    """
    if source in (settings.archive.model, "truth"):
        return len({file.init + hours(file.lead) for file in files})
    own = settings.archive.base_model.products.values()
    held = (
        dataclasses.replace(file, product=min(own), variables=()) if file.product in own else file
        for file in files
    )
    return len(set(held))


def fetching(settings: Settings, files: Iterable[FileRequest]) -> Fetching:
    """The total of fetching some files."""
    files = list(files)
    shape = archive_shape(settings)
    whole = shape == settings.archive.base_model.grid.shape
    points = None if whole else shape[0] * shape[1]
    # All of the simulated archive covers the window only; no file of its models is larger.
    model = settings.archive.model if settings.simulated else None
    stored = sum(
        sum(message_bytes(model or file.model, variable, points) for variable in file.variables)
        if file.series is None
        else file_bytes(file.series, points)
        for file in files
    )
    elsewhere = 0
    if settings.archive.over_the_network():
        elsewhere = stored + INVENTORY_BYTES * len(files)
    return Fetching(len(files), stored, elsewhere)
