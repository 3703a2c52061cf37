"""Taking messages apart, against ecCodes' own reading of several fields in one message."""

import pytest
from archive_messages import message, pack_together

from stormdraw.archive.sections import header_fields, split_fields
from stormdraw.errors import StormdrawError
from stormdraw.messages import Extent, opened, read_header

import eccodes  # isort: skip

U = message((0, 2, 2), (103, 10), lead=3, value=-4.0)
V = message((0, 2, 3), (103, 10), lead=3, value=7.0)


def values_by_eccodes(path):
    """Values of each field of a file, read with ecCodes' support of several fields a message."""
    fields = []
    eccodes.codes_grib_multi_support_on()
    try:
        with open(path, "rb") as stream:
            while (handle := eccodes.codes_grib_new_from_file(stream)) is not None:
                name = eccodes.codes_get(handle, "parameterNumber")
                fields.append((name, eccodes.codes_get_values(handle).tolist()))
                eccodes.codes_release(handle)
    finally:
        eccodes.codes_grib_multi_support_off()
    return fields


def values(field):
    with opened(field) as handle:
        name = eccodes.codes_get(handle, "parameterNumber")
        return name, eccodes.codes_get_values(handle).tolist()


def test_a_simple_message_comes_back_as_it_is():
    assert split_fields(U) == [U]


def test_a_pair_comes_back_as_the_two_it_was_made_of():
    assert split_fields(pack_together(U, V)) == [U, V]


def test_fields_are_those_that_eccodes_reads(tmp_path):
    path = tmp_path / "pair.grib2"
    pair = pack_together(U, V)
    path.write_bytes(pair)
    assert [values(field) for field in split_fields(pair)] == values_by_eccodes(path)


def with_bitmap(content, missing_point):
    with opened(content) as handle:
        eccodes.codes_set(handle, "bitmapPresent", 1)
        field = eccodes.codes_get_values(handle)
        field[missing_point] = eccodes.codes_get(handle, "missingValue")
        eccodes.codes_set_values(handle, field)
        return eccodes.codes_get_message(handle)


def same_bitmap_as_before(pair):
    """`pair` with the bitmap of its second field replaced by a reference to the first one's."""
    head, end = pair[:16], b"7777"
    sections, position, bitmaps = [], 16, 0
    while pair[position : position + 4] != end:
        length = int.from_bytes(pair[position : position + 4], "big")
        section = pair[position : position + length]
        if section[4] == 6:
            bitmaps += 1
            if bitmaps == 2:
                section = (6).to_bytes(4, "big") + b"\x06\xfe"
        sections.append(section)
        position += length
    body = b"".join(sections) + end
    return head[:8] + (16 + len(body)).to_bytes(8, "big") + body


def test_a_bitmap_that_refers_to_the_one_before_is_filled_in():
    masked = [with_bitmap(field, missing_point=3) for field in (U, V)]
    pair = same_bitmap_as_before(pack_together(*masked))
    assert len(pair) < len(pack_together(*masked))
    assert split_fields(pair) == masked


def test_headers_without_data_say_the_same():
    for content in (U, pack_together(U, V), message((0, 7, 6), lead=4, interval=(2, 1, 1))):
        padded = b"junk" + content
        stripped = header_fields(padded, Extent(4, len(content)))
        whole = split_fields(content)
        assert len(stripped) == len(whole)
        for with_data, without in zip(whole, stripped, strict=True):
            with opened(with_data) as one, opened(without) as other:
                assert read_header(one) == read_header(other)


def test_damage_is_an_error():
    damaged = bytearray(U)
    damaged[16:20] = (3).to_bytes(4, "big")
    with pytest.raises(StormdrawError, match="section of 3 bytes"):
        split_fields(bytes(damaged))
    without_grid = bytearray(U)
    without_grid[16 + 21 + 4] = 2
    with pytest.raises(StormdrawError, match="without section 3"):
        split_fields(bytes(without_grid))
