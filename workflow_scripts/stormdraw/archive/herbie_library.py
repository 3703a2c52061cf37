"""Herbie, imported so that it stays out of the home folder, out of the way, and never hangs."""

import contextlib
import functools
import importlib
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from stormdraw.files import write_text

logger = logging.getLogger("herbie")

# Seconds to wait for a connection, and for the next bytes of an answer.
TIMEOUT = (15.0, 60.0)

_RETRIES = 4
# A server that does not answer within the time-out is asked once more.
_RETRIES_WITHOUT_ANSWER = 1
_SECONDS_BEFORE_RETRY = 0.5
_TEMPORARY = (429, 500, 502, 503, 504)

_CONFIGURATION = """[default]
model = "hrrr"
fxx = 0
save_dir = {save_dir}
overwrite = false
verbose = false
"""


class PatientSession(requests.Session):
    """Stands in for the module `requests` inside Herbie.

    Herbie's `requests.head` has no time-out, and nothing in `requests` sets a default one
    (`socket.setdefaulttimeout` is not honoured). Connection errors and 5xx answers are tried again
    with growing waits; a 5xx that stays is an error, not a file that does not exist.
    """

    RequestException = requests.RequestException

    def __init__(self) -> None:
        super().__init__()
        retries = Retry(
            total=_RETRIES,
            read=min(_RETRIES, _RETRIES_WITHOUT_ANSWER),
            backoff_factor=_SECONDS_BEFORE_RETRY,
            status_forcelist=_TEMPORARY,
            allowed_methods=("HEAD", "GET"),
            # A server may ask for hours.
            respect_retry_after_header=False,
        )
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=retries, pool_maxsize=16))

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        if options.get("timeout") is None:
            options["timeout"] = TIMEOUT
        return super().request(*arguments, **options)


@functools.cache
def load_herbie(folder: Path) -> ModuleType:
    """The module `herbie`, with its configuration and default data folder in `folder`.

    Herbie reads its configuration once, when it is first imported, and writes one to the home
    folder if it finds none; so it is given one before.
    """
    folder = folder.absolute()
    write_text(folder / "config.toml", _CONFIGURATION.format(save_dir=_toml_string(folder)))
    os.environ["HERBIE_CONFIG_PATH"] = str(folder)
    os.environ["HERBIE_SAVE_DIR"] = str(folder)
    with prints_to_log():
        herbie = importlib.import_module("herbie")
        core = importlib.import_module("herbie.core")
    vars(core)["requests"] = PatientSession()
    return herbie


def _toml_string(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextlib.contextmanager
def prints_to_log() -> Iterator[None]:
    """Send what is printed within the block, in any thread, to the log."""
    with contextlib.redirect_stdout(_LogLines()):
        yield


class _LogLines(io.TextIOBase):
    """Text written here becomes lines of the log."""

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                logger.info("%s", line.strip())
        return len(text)
