"""Where the messages of a GRIB file lie."""

from pathlib import Path

from stormdraw.messages import Extent, extents, mapped


def find_messages(path: Path) -> list[Extent]:
    with mapped(path) as data:
        return list(extents(data, path))
