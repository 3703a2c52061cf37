"""Whether the archives respond for the files a run needs."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import requests

from stormdraw.archive.listing import Listing
from stormdraw.archive.request import FileRequest
from stormdraw.archive.series import Series
from stormdraw.archive.sources import Cloud, Folder, candidates, place_of
from stormdraw.archive.stations.iem import SERVICE
from stormdraw.costs.finding import Finding
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings

_SECONDS = 10


def check_sources(settings: Settings, files: Mapping[str, list[FileRequest]]) -> list[Finding]:
    """Request the first file of each source of the run from all its addresses at the same time.

    `files` maps a source of the run (`hrrr`, `href`) to the files it fetches.
    """
    if settings.simulated:
        return [Finding("good", "archive", "simulated: no network is needed")]
    try:
        place = place_of(settings)
    except StormdrawError as error:
        return [Finding("problem", "archive", str(error), "see to archive.source.mirror")]
    if isinstance(place, Folder):
        base = settings.archive.base_model
        days = len(list(place.root.glob(base.days)))
        found = f"{days} days of {base.title} in {place.root.absolute()}"
        if not days:
            return [Finding("problem", "archive", found, "see to archive.source.mirror")]
        return [Finding("good", "archive", found)]
    # Static fields come from a file of the analyses.
    first = {source: found[0] for source, found in files.items() if found and source != "static"}
    addresses = [
        (source, name, address)
        for source, file in first.items()
        if file.series is None
        for name, address in candidates(file, place).items()
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        findings = list(pool.map(lambda asked: ask(f"{asked[0]} {asked[1]}", asked[2]), addresses))
    findings += [
        ask_list(f"{source} {file.model}", file.init, file.series, Listing(place))
        for source, file in first.items()
        if file.series is not None
    ]
    for source in first:
        if not any(f.state == "good" for f in findings if f.what.startswith(f"{source} ")):
            findings.append(_nowhere(source, isinstance(place, Cloud)))
    return findings


def check_stations(settings: Settings) -> list[Finding]:
    """Whether IEM answers, where reports of stations come from it."""
    stations = settings.archive.stations
    if stations is None or not stations.networks:
        return []
    finding = ask("stations IEM", f"{SERVICE}?help")
    # There is no other place for them.
    return [replace(finding, state="problem") if finding.state == "note" else finding]


def ask(what: str, address: str, seconds: float = _SECONDS) -> Finding:
    """Whether an address responds within `seconds`; only the header is transferred."""
    start = time.monotonic()
    try:
        with requests.get(address, timeout=seconds, stream=True) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        host = address.split("/")[2]
        found = f"no answer from {host} ({type(error).__name__})"
        return Finding("note", what, found, "see to the network; a proxy is taken from HTTPS_PROXY")
    if status != requests.codes.ok:
        return Finding(
            "note", what, f"HTTP {status} for {address}", "its archive may not reach back"
        )
    return Finding("good", what, f"answers in {time.monotonic() - start:.1f} s")


def ask_list(what: str, valid: datetime, series: Series, listing: Listing) -> Finding:
    """Whether a server lists the files of a series around a time."""
    start = time.monotonic()
    try:
        listed = listing.by_nearness(series, valid)
    except StormdrawError as error:
        return Finding("note", what, str(error), "see to the network and archive.source")
    folder = listing.address(series, valid.strftime(series.folder))
    if not listed:
        return Finding("note", what, f"no file in {folder}", "its archive may not reach back")
    return Finding("good", what, f"lists {len(listed)} files in {time.monotonic() - start:.1f} s")


def _nowhere(source: str, cloud: bool) -> Finding:
    to_do = "set archive.source to a mirror that has them, as {mirror: /data/archive}"
    if not cloud:
        to_do = "see to archive.source.mirror"
    return Finding("problem", source, "no source has the first file of the run", to_do)
