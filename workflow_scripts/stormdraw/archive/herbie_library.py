"""Herbie, whose model templates give the names and addresses of files.

The bytes are fetched by our own session.
"""

import contextlib
import functools
import importlib
import io
import os
import tempfile
from types import ModuleType


@functools.cache
def herbie() -> ModuleType:
    """The module `herbie`, imported without touching the home folder or the terminal.

    On import it reads its configuration, and writes one if there is none.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ |= {"HERBIE_CONFIG_PATH": folder, "HERBIE_SAVE_DIR": folder}
        return importlib.import_module("herbie")
