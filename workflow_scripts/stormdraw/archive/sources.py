"""Where files of an archive are looked for: Herbie's addresses, applied to a place."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from stormdraw.archive.herbie_library import herbie
from stormdraw.archive.request import FileRequest
from stormdraw.archive.settings import Mirror
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings
from stormdraw.times import format_date
from stormdraw.variables import variable

_URL = re.compile(r"https?://", re.IGNORECASE)

# The folder may differ from the model's name: `rrfsens.20260915/`, `urma2p5.20260915/`.
_FROM_THE_DAY_ON = re.compile(r"/([a-z0-9_]+\.\d{8}/.+)$")

# An inventory's suffix replaces these endings, and follows any other.
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
    """The place that `archive.source` names; `mirror` is the simulated archive's folder.

    Raises StormdrawError for a folder that does not exist.
    """
    source = settings.archive.source
    if isinstance(source, Mirror):
        return _mirror(source.mirror, "archive.source.mirror", _example(settings))
    if source == "simulated":
        if mirror is None:
            raise StormdrawError("archive.source is simulated, but no simulated archive was given")
        return _mirror(str(mirror), "the simulated archive", _example(settings))
    return Cloud(tuple(source))


def _example(settings: Settings) -> str:
    """A folder of the base model's files, as in the public bucket."""
    times = settings.analysis_times() or settings.initial_times()
    return str(settings.archive.base_model.path(times[0], 0).parent)


def _mirror(root: str, what: str, example: str) -> Place:
    if _URL.match(root):
        return Website(root.rstrip("/"))
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise StormdrawError(
            f"{what}: there is no folder {folder} (expected a folder or an http address laid out "
            f"like the public bucket, e.g. with {example}/ in it)"
        )
    return Folder(folder)


def candidates(request: FileRequest, place: Place) -> dict[str, str]:
    """The paths or addresses where a file may be, in the order in which they are tried.

    Keys are names of sources. Empty if no source of the place has files of that model.
    """
    return _rewritten(_template(request).SOURCES, place)


def inventories_of(request: FileRequest, address: str) -> list[str]:
    """The possible addresses of the inventory of a file, in the order to try."""
    suffixes = getattr(_template(request), "IDX_SUFFIX", [".grib2.idx"])
    stem = address.rpartition(".")[0] if address.endswith(_ENDINGS) else address
    return [stem + suffix for suffix in suffixes]


def file_name(request: FileRequest) -> str:
    """The file's name in the archive."""
    return next(iter(_template(request).SOURCES.values())).rsplit("/", 1)[-1]


def stored_path(request: FileRequest) -> str:
    """Where the file is stored, relative to a manifest's folder.

    Files are stored by the day of their own run, since runs of two days can occur in one cycle and
    may share a name. Statistics over the last hour that are taken from a file by themselves have
    another name: the other variables may come from the same file if the analysis is missing. A file
    of a series has the wanted hour in its name, and is stored unpacked.
    """
    folder = f"{request.model}.{format_date(request.init)}"
    if request.series is not None:
        return f"{folder}/{request.product}.t{request.init:%H}z.grib2"
    apart = all(variable(name).shortest_lead > 0 for name in request.variables)
    return f"{folder}/last_hour.{file_name(request)}" if apart else f"{folder}/{file_name(request)}"


def _template(request: FileRequest) -> SimpleNamespace:
    """The content of Herbie's template of a model; Herbie itself would access the network first."""
    described = SimpleNamespace(
        date=request.init,
        fxx=request.lead,
        model=request.model,
        product=request.product,
        get_remoteFileName="",
        **dict(request.options),
    )
    getattr(herbie().models, request.model).template(described)
    return described


def _rewritten(urls: Mapping[str, str], place: Place) -> dict[str, str]:
    if isinstance(place, Cloud):
        return {name: urls[name] for name in place.names if name in urls}
    places = [f"{place.root}/{path}" for path in _paths_in_bucket(urls.values())]
    return {f"mirror_{number}": path for number, path in enumerate(places)}


def _paths_in_bucket(urls: Iterable[str]) -> list[str]:
    """The part of each address from the day's folder on, without repeats.

    All archives agree from there on (`hrrr.20180722/conus/hrrr.t00z.wrfsfcf01.grib2`). Sites that
    mirror only one domain often omit its folder, so the paths without it follow.
    """
    paths: dict[str, None] = {}
    for url in urls:
        match = _FROM_THE_DAY_ON.search(url)
        if match:
            paths[match[1]] = None
    flat = {f"{path.split('/')[0]}/{path.split('/')[-1]}": None for path in paths}
    return list(paths | flat)
