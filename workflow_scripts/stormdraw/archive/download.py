"""One file of the archive: found and subset by Herbie, with errors a user can act on."""

import itertools
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import requests
from urllib3.exceptions import MaxRetryError

from stormdraw.archive.inventory import inventory_lines
from stormdraw.archive.sources import Cloud, Place, ask_herbie, candidates
from stormdraw.archive.verify import contradiction
from stormdraw.archive.wanted import FileRequest
from stormdraw.errors import StormdrawError
from stormdraw.messages import Statistic
from stormdraw.variables import variable

_ATTEMPTS = 3
_SECONDS_BEFORE_RETRY = 1.0

# How the inventory lines of ensemble products end, as regular expressions.
_ENDINGS: dict[Statistic | None, str] = {
    None: "",
    "mean": "(?:wt )?ens mean",
    "spread": "ens spread",
}


class AbsentFileError(StormdrawError):
    """A file that none of the places has. `looked_at` is the first one's address, or empty."""

    def __init__(self, message: str, looked_at: str) -> None:
        super().__init__(message)
        self.looked_at = looked_at


@dataclass(frozen=True)
class Download:
    """Messages as they came, not yet verified, and where they came from."""

    path: Path
    origin: str


def download(herbie: ModuleType, request: FileRequest, place: Place, work: Path) -> Download:
    """Fetch the wanted byte ranges of a file into the empty folder `work`.

    A transfer that breaks off is tried again. Raises AbsentFileError if no place has the file,
    StormdrawError if it has no inventory, if a variable is not in it, if it is of another time than
    its name says, or if the server cannot be reached.
    """
    places = candidates(herbie, request, place)
    if not places:
        names = ", ".join(place.names) if isinstance(place, Cloud) else "the mirror"
        raise AbsentFileError(
            f"{request}: {names} has no files of {request.model}; add another source to "
            "archive.source, or a mirror that has them",
            looked_at="",
        )
    origin = next(iter(places.values()))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _download_once(herbie, request, place, work / str(attempt))
        except (requests.RequestException, RuntimeError, ValueError, KeyError) as error:
            failure = _network_failure(request, origin, error)
        if attempt == _ATTEMPTS or _is_final(failure):
            break
        time.sleep(_SECONDS_BEFORE_RETRY * attempt)
    raise _unreachable(request, origin, failure)


def _network_failure(
    request: FileRequest, origin: str, error: Exception
) -> requests.RequestException:
    """The network's error behind one of Herbie's; raises what has another cause."""
    # Herbie wraps what goes wrong while it reads or writes.
    cause = error if isinstance(error, requests.RequestException) else error.__cause__
    if isinstance(cause, requests.RequestException):
        return cause
    if isinstance(cause, OSError):
        raise cause from None
    raise _unusable(request, origin, error) from None


def _is_final(error: requests.RequestException) -> bool:
    """Whether another try is pointless: the session has made them, or the answer is definite."""
    return isinstance(error, requests.exceptions.RetryError | requests.HTTPError) or any(
        isinstance(part, MaxRetryError) for part in error.args
    )


def _download_once(herbie: ModuleType, request: FileRequest, place: Place, work: Path) -> Download:
    asked = ask_herbie(herbie, request, place, work)
    if asked.grib is None:
        places = list(asked.SOURCES.values())
        raise AbsentFileError(
            f"{request}: not in the archive; looked at {' and '.join(places)}", places[0]
        )
    origin = asked.SOURCES.get(asked.grib_source, str(asked.grib))
    if isinstance(asked.grib, Path):
        origin = str(asked.grib)
    if asked.idx is None:
        _require_folder(asked, origin)
        asked.idx = _inventory_of(asked.grib, work)
        asked.idx_source = "local"
    _require_lines(asked.index_as_dataframe, request, origin)
    _set_last_line_apart(asked.index_as_dataframe)
    path = asked.download(
        search=search_pattern(request), save_dir=work, errors="raise", verbose=False
    )
    return Download(Path(path), origin)


def _set_last_line_apart(inventory: pd.DataFrame) -> None:
    """Give the last line a byte range of its own, in place.

    Herbie 2026.10 joins lines with consecutive numbers into one range and ends it where the last
    *known* end is. A file's last line has none, so that its message would be cut off the range. A
    line that stands alone is read to the end of the file.
    """
    inventory["grib_message"] = inventory["grib_message"].astype(float)
    inventory.loc[inventory.index[-1], "grib_message"] += 0.5


def _inventory_of(grib: Path, work: Path) -> Path:
    """An inventory made for a file of a mirror, which may be read-only: so it lies elsewhere."""
    path = work / f"{grib.name}.idx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in inventory_lines(grib)), encoding="utf-8")
    return path


def _require_folder(asked: Any, origin: str) -> None:
    """An inventory can be made for a file at hand, not for one behind an address."""
    if not isinstance(asked.grib, Path):
        raise StormdrawError(
            f"{origin}: has no inventory ({origin}.idx), so single messages cannot be fetched; add "
            "one to the mirror, or give the mirror as a folder"
        )


def search_pattern(request: FileRequest) -> str:
    """A regular expression for Herbie's `search`: any of the wanted variables."""
    return "|".join(line_pattern(name, request) for name in request.variables)


def line_pattern(name: str, request: FileRequest) -> str:
    """A regular expression for one variable's line, to its end.

    Herbie joins a line's columns with colons and adds one at the end; columns that only other lines
    have may come out as `nan`. A plain forecast must end there: `ens spread` or `process=193` is
    something else. Products of REFS do come from process 193 where they need a neighbourhood.
    """
    ending = _ENDINGS[request.statistic]
    rest = f"{ending}:(?:process=\\d+:)?" if ending else ""
    pattern = variable(name).inventory_pattern(request.lead)
    return f"(?:{pattern}{rest}(?:nan:)*$)"


def _require_lines(inventory: pd.DataFrame, request: FileRequest, origin: str) -> None:
    """Raises StormdrawError if the inventory is of another time, or has no line of a variable."""
    lines = inventory["search_this"].tolist()
    missing = [name for name in request.variables if not _find(line_pattern(name, request), lines)]
    # The same variable at another lead: the file is not what its name says.
    wrong = _find(r":\d+ hour fcst:|:anl:", lines, inventory["reference_time"] != request.init)
    for name in missing:
        wrong += _find(rf":{variable(name).inventory}:(?:\d+ hour fcst|anl):", lines)
    if wrong:
        line = inventory.iloc[wrong[0]]
        init, lead = line["reference_time"].to_pydatetime(), _hours(line["forecast_time"])
        raise contradiction(origin, request, "its inventory", init, lead)
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise StormdrawError(
            f"{origin}: its inventory has no {', '.join(missing)} at {request.lead} h; leave "
            f"{them} out of the configuration, or use an archive that has {them}"
        )


def _find(pattern: str, lines: list[str], among: Iterable[bool] | None = None) -> list[int]:
    """The numbers of the lines that match, of those that are `among` the ones to look at."""
    looked_at = itertools.repeat(True) if among is None else among
    return [
        number
        for number, (line, counts) in enumerate(zip(lines, looked_at, strict=False))
        if counts and re.search(pattern, line)
    ]


def _hours(forecast: str) -> str:
    """`5 hour fcst` as `5 h`."""
    return "0 h" if forecast == "anl" else forecast.replace(" hour fcst", " h")


def _unreachable(
    request: FileRequest, origin: str, error: requests.RequestException
) -> StormdrawError:
    return StormdrawError(
        f"{request}: the archive did not answer as it should, {_reason(error)} ({origin}); check "
        "the network and archive.source, then run again: what is already fetched is kept"
    )


def _reason(error: requests.RequestException) -> str:
    """The cause at the bottom of a network error, without the objects it passed through."""
    for part in error.args:
        if isinstance(part, MaxRetryError) and part.reason is not None:
            return _one_line(part.reason).rpartition("): ")[2]
    return _one_line(error)


def _unusable(request: FileRequest, origin: str, error: Exception) -> StormdrawError:
    if "Range request not honored" in str(error):
        return StormdrawError(
            f"{origin}: the server ignores byte ranges, so single messages cannot be fetched; use "
            "one that honours them, or give the mirror as a folder"
        )
    return StormdrawError(
        f"{request}: Herbie cannot use {origin}: {type(error).__name__}, {_one_line(error)}"
    )


def _one_line(error: Exception) -> str:
    """An error's text without line breaks and Herbie's emoji."""
    return " ".join(re.sub(r"[^\x21-\x7e]+", " ", str(error)).split())
