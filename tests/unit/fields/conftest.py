"""Where fields are written to, and messages that they are made from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grib_manifests
import pytest

from stormdraw.fields.settings import Fields
from stormdraw.fields.writing import Destination


@pytest.fixture
def destination() -> Callable[..., Destination]:
    """A function that says to write `out.nc` and `quality.csv` into a folder, by these settings."""

    def into(folder: Path, threads: int = 1, **settings: Any) -> Destination:
        return Destination(
            folder / "out.nc", folder / "quality.csv", Fields(**settings), {}, threads
        )

    return into


@pytest.fixture
def write_manifest() -> Callable[..., Path]:
    """A function that stores messages in one file beside a manifest of them."""
    return grib_manifests.write_manifest
