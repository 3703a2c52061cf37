"""Files of a folder, in which messages are found by their headers: inventories are not looked at.

Only the pages of headers and of wanted messages are read, of files that may hold 150 MB.
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
# Of the file itself; other errors are the disk's or the network's, which may get better.
_OF_THE_FILE = (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


def read_folder_file(path: Path, wanted: Collection[str]) -> Found:
    """The messages of a file that hold a field of the wanted variables, of whatever time.

    What comes after the file is cut off or damaged is not found. Raises FaultyFileError if there is
    no file that can be read, StormdrawError if the disk fails.
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
