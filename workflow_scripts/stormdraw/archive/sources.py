"""Where files of an archive are looked for, and how Herbie is asked for them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import requests

from stormdraw.archive.settings import Mirror
from stormdraw.archive.transfer import fetch_inventory
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import format_date

_URL = re.compile(r"https?://", re.IGNORECASE)

# The folder may be called otherwise than the model: `rrfsens.20260915/`, `urma2p5.20260915/`.
_FROM_THE_DAY_ON = re.compile(r"/([a-z0-9_]+\.\d{8}/.+)$")

_NOT_THERE = (404, 410)
_HEAD_NOT_ALLOWED = (405, 501)

# Herbie asks for a signature before each request to Azure.
_SIGNED = "blob.core.windows.net"

# An inventory's suffix stands in place of these, and after any other.
_ENDINGS = (".grb", ".grib", ".grb2", ".grib2")


@dataclass(frozen=True)
class Cloud:
    """Herbie's own sources, in the order in which they are tried."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Folder:
    """A folder laid out like the public buckets."""

    root: Path


@dataclass(frozen=True)
class Website:
    """An http address laid out like the public buckets."""

    root: str


Place = Cloud | Folder | Website


def place_of(settings: Settings, mirror: str | Path | None = None) -> Place:
    """Where `archive.source` says to look; `mirror` is the simulated archive's folder.

    Raises StormdrawError for a folder that does not exist.
    """
    source = settings.archive.source
    if isinstance(source, Mirror):
        return _mirror(source.mirror, "archive.source.mirror")
    if source == "simulated":
        if mirror is None:
            raise StormdrawError("archive.source is simulated, but no simulated archive was given")
        return _mirror(str(mirror), "the simulated archive")
    return Cloud(tuple(source))


def _mirror(root: str, what: str) -> Place:
    if _URL.match(root):
        return Website(root.rstrip("/"))
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise StormdrawError(
            f"{what}: there is no folder {folder} (expected a folder or an http address laid out "
            "like the public bucket, e.g. with hrrr.20260601/conus/ in it)"
        )
    return Folder(folder)


def candidates(herbie: ModuleType, request: FileRequest, place: Place) -> dict[str, str]:
    """The paths or addresses where a file may be, in the order in which they are tried.

    Keys are names of Herbie's sources. Empty if no source of the place has files of that model.
    """
    return _rewritten(_template(herbie, request), place)


def file_name(herbie: ModuleType, request: FileRequest) -> str:
    """The file's name in the archive."""
    return next(iter(_template(herbie, request).values())).rsplit("/", 1)[-1]


def stored_path(herbie: ModuleType, request: FileRequest) -> str:
    """Where the file is kept, relative to a manifest's folder.

    Under the run's own day, since runs of two days can meet in one cycle and then share a name.
    """
    day = format_date(request.init)
    return f"{request.model}.{day}/{file_name(herbie, request)}"


def _template(herbie: ModuleType, request: FileRequest) -> dict[str, str]:
    """The addresses in Herbie's template of a model: Herbie itself would ask the network first."""
    described = SimpleNamespace(
        date=request.init,
        fxx=request.lead,
        model=request.model,
        product=request.product,
        get_remoteFileName="",
        **dict(request.options),
    )
    getattr(herbie.models, request.model).template(described)
    return described.SOURCES


def _rewritten(urls: Mapping[str, str], place: Place) -> dict[str, str]:
    if isinstance(place, Cloud):
        return {name: urls[name] for name in place.names if name in urls}
    # Herbie treats a source as a path if its name starts with `local`.
    key = "local" if isinstance(place, Folder) else "mirror"
    places = [f"{place.root}/{path}" for path in _paths_in_bucket(urls.values())]
    return {f"{key}_{number}": path for number, path in enumerate(places)}


def _paths_in_bucket(urls: Iterable[str]) -> list[str]:
    """The part of each address from the day's folder on, without repeats.

    All archives agree from there (`hrrr.20180722/conus/hrrr.t00z.wrfsfcf01.grib2`), whatever comes
    before it. Sites that mirror only one domain often leave its folder out, so that follows.
    """
    paths: dict[str, None] = {}
    for url in urls:
        match = _FROM_THE_DAY_ON.search(url)
        if match:
            paths[match[1]] = None
    flat = {f"{path.split('/')[0]}/{path.split('/')[-1]}": None for path in paths}
    return list(paths | flat)


def ask_herbie(
    herbie: ModuleType, request: FileRequest, places: Mapping[str, str], work: Path
) -> Any:
    """A Herbie object for a file at one of `places` (by Herbie's name of the source).

    Its `grib` is None where the file is not, its `idx` where there is no inventory; its
    `inventory_text` is what an inventory behind an address holds. `work` must be empty: Herbie
    takes whatever it finds there for the file itself. Raises what Herbie and requests raise, and an
    HTTPError for an answer that says neither yes nor no.
    """

    class PointedHerbie(herbie.Herbie):  # type: ignore[name-defined]
        """Herbie with its template's addresses pointing at the place to look."""

        inventory_text: str | None = None

        def _validate(self) -> None:
            """Herbie refuses times to come; a simulated archive may lie there."""

        def find_grib(self) -> tuple[Any, Any]:
            self.SOURCES = dict(places)
            return super().find_grib()

        def _check_grib(self, url: str, min_content_length: int = 10) -> bool:
            return is_there(herbie.core.requests, url)

        def _check_idx(self, url: str, verbose: bool = False) -> tuple[bool, str | None]:
            """Herbie takes an inventory that it cannot ask for as one that is not there.

            It is fetched at once: to ask whether it is there takes as long.
            """
            if _SIGNED in url:
                return super()._check_idx(url, verbose)
            stem = url.rpartition(".")[0] if url.endswith(_ENDINGS) else url
            for ending in self.IDX_SUFFIX:
                self.inventory_text = _found_inventory(herbie.core.requests, stem + ending)
                if self.inventory_text is not None:
                    return True, stem + ending
            return False, None

    return PointedHerbie(
        request.init,
        model=request.model,
        product=request.product,
        fxx=request.lead,
        save_dir=work,
        overwrite=False,
        verbose=False,
        priority=None,
        **dict(request.options),
    )


def is_there(session: requests.Session, url: str) -> bool:
    """Whether a server has a file.

    Raises HTTPError for any other answer than yes or no: 403 is how NOMADS says "not so fast".
    """
    answer = session.head(url, allow_redirects=True)
    if answer.status_code in _NOT_THERE:
        return False
    if answer.status_code not in _HEAD_NOT_ALLOWED:
        answer.raise_for_status()
    return True


def _found_inventory(session: requests.Session, address: str) -> str | None:
    """An inventory, None if it is not there; any other answer is an error, as of `is_there`."""
    try:
        return fetch_inventory(session, address)
    except requests.HTTPError as error:
        if error.response is not None and error.response.status_code in _NOT_THERE:
            return None
        raise
