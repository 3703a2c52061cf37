"""Herbie, whose templates of models give the names and addresses of files.

A session of our own fetches the bytes.
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
    """The module `herbie`, imported so that it stays out of the home folder and off the terminal.

    It reads its configuration once, then, and writes one where it finds none.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ |= {"HERBIE_CONFIG_PATH": folder, "HERBIE_SAVE_DIR": folder}
        return importlib.import_module("herbie")
