"""Files in a folder: messages are found by their headers, without inventories.

Of files that may have 150 MB, only the pages of headers and of wanted messages are read.
"""

import errno
import mmap
from collections.abc import Collection
from pathlib import Path

from stormdraw.archive.faults import NOT_THERE, Fault, FaultyFileError, Found
from stormdraw.archive.sections import header_fields
from stormdraw.errors import StormdrawError
from stormdraw.messages import Extent, extents, mapped, opened, read_header

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
# Errors of the file itself; others are of the disk or the network and may be temporary.
_OF_THE_FILE = (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


def read_folder_file(path: Path, wanted: Collection[str]) -> Found:
    """The messages of a file that hold a wanted variable, at any time.

    Messages after damaged or truncated ones are not found. Raises FaultyFileError if there is no
    readable file, StormdrawError if the disk fails.
    """
    found = Found()
    try:
        with mapped(path) as data:
            for extent in extents(data, path):
                _read(data, extent, wanted, found)
    except StormdrawError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in _NOT_THERE:
            raise FaultyFileError(str(path), NOT_THERE) from None
        if isinstance(cause, OSError) and cause.errno not in _OF_THE_FILE:
            raise
        finding = str(error).removeprefix(f"{path}: ").partition(";")[0]
        found.damage.append(Fault(finding))
    return found


def _read(data: mmap.mmap, extent: Extent, wanted: Collection[str], found: Found) -> None:
    try:
        for field in header_fields(data, extent):
            with opened(field) as handle:
                header = read_header(handle)
            if header.variable is not None and header.variable.name in wanted:
                found.messages.append(data[extent.offset : extent.offset + extent.length])
                return
    except StormdrawError as error:
        found.damage.append(Fault(str(error)))
