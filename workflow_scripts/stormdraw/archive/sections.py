"""The sections of a GRIB2 message: splits multi-field messages, and reads headers without data.

GRIB2 lets sections 3 to 7 repeat in one message. NCEP's NAM nest packs the two wind components in
pairs this way, so that one inventory offset stands for two fields (`12.1`, `12.2`). ecCodes reads
only the first field of such a message unless a global switch is set, so they are split here.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

from stormdraw.errors import StormdrawError
from stormdraw.messages import END, INDICATOR_LENGTH, Extent

_SECTION_HEAD = 5
_BITMAP_SAME_AS_BEFORE = 254
_BITMAP_HERE = 0

# Sections 5, 6 and 7 of a field that is 0 everywhere: simple packing in 0 bits, no bitmap.
_CONSTANT_REPRESENTATION = (21).to_bytes(4, "big") + b"\x05" + bytes(4 + 2 + 4 + 2 + 2 + 1 + 1)
_NO_BITMAP = (6).to_bytes(4, "big") + b"\x06\xff"
_NO_DATA = (5).to_bytes(4, "big") + b"\x07"


@dataclass(frozen=True)
class Section:
    """A section of a message: its number, and its first and last-plus-one byte in the buffer."""

    number: int
    start: int
    end: int


def split_fields(message: bytes) -> list[bytes]:
    """The fields of a message, each as its own message; a simple message is returned unchanged.

    Raises StormdrawError if the sections do not fill the message.
    """
    extent = Extent(0, len(message))
    groups = list(_fields(message, extent))
    if len(groups) == 1:
        return [message]
    fields = []
    bitmap = b""
    for group in groups:
        parts = {section.number: message[section.start : section.end] for section in group}
        indicator = parts[6][_SECTION_HEAD]
        if indicator == _BITMAP_HERE:
            bitmap = parts[6]
        elif indicator == _BITMAP_SAME_AS_BEFORE:
            parts[6] = bitmap
        fields.append(_assemble(message[:INDICATOR_LENGTH], parts))
    return fields


def header_fields(data: bytes | mmap.mmap, extent: Extent) -> list[bytes]:
    """The fields of a message with their headers but no data, for reading the headers.

    Only the pages of the headers are touched, which matters for a folder of 150 MB files.
    """
    indicator = data[extent.offset : extent.offset + INDICATOR_LENGTH]
    stripped = []
    for group in _fields(data, extent):
        parts = {
            section.number: data[section.start : section.end]
            for section in group
            if section.number <= 4
        }
        parts |= {5: _CONSTANT_REPRESENTATION, 6: _NO_BITMAP, 7: _NO_DATA}
        stripped.append(_assemble(indicator, parts))
    return stripped


def _assemble(indicator: bytes, parts: dict[int, bytes]) -> bytes:
    """A message of one field with the right total length."""
    body = b"".join(parts[number] for number in sorted(parts)) + END
    length = INDICATOR_LENGTH + len(body)
    return indicator[:8] + length.to_bytes(8, "big") + body


def _fields(data: bytes | mmap.mmap, extent: Extent) -> Iterator[list[Section]]:
    """The sections of each field; shared sections (1, 2, 3) are repeated."""
    current: dict[int, Section] = {}
    for section in _sections(data, extent):
        current[section.number] = section
        if section.number == 7:
            missing = {1, 3, 4, 5, 6} - current.keys()
            if missing:
                raise StormdrawError(
                    f"the message at byte {extent.offset} has a field without section "
                    f"{min(missing)}: it is damaged"
                )
            yield [current[number] for number in sorted(current)]


def _sections(data: bytes | mmap.mmap, extent: Extent) -> Iterator[Section]:
    position = extent.offset + INDICATOR_LENGTH
    end = extent.offset + extent.length - len(END)
    while position < end:
        length = int.from_bytes(data[position : position + 4], "big")
        if length < _SECTION_HEAD or position + length > end:
            raise StormdrawError(
                f"the message at byte {extent.offset} has a section of {length} bytes at byte "
                f"{position}, which does not fit: it is damaged"
            )
        yield Section(data[position + 4], position, position + length)
        position += length
