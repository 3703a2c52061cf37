"""Herbie, imported so that it stays out of the home folder and out of the way.

Herbie's templates of models give the names and addresses of files. A session of our own fetches the
bytes.
"""

import contextlib
import functools
import importlib
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from stormdraw.files import write_text

logger = logging.getLogger("herbie")

_CONFIGURATION = """[default]
model = "hrrr"
fxx = 0
save_dir = {save_dir}
overwrite = false
verbose = false
"""


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
        return importlib.import_module("herbie")


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
