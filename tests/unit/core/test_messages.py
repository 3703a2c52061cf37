from datetime import datetime

import eccodes
import numpy as np
import pytest
from message_extents import find_messages

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.messages import (
    grid_relative_winds,
    opened,
    read_grid,
    read_header,
    read_messages,
)
from stormdraw.variables import DEFAULT_STATE


@pytest.fixture
def idaho(real_data):
    return real_data / "hrrr_idaho" / "hrrr.20180722"


def test_extents_cover_a_whole_file(idaho):
    path = idaho / "hrrr.t00z.wrfsfcf01.grib2"
    extents = find_messages(path)
    assert len(extents) == 52
    assert extents[0].offset == 0
    ends = [extent.offset + extent.length for extent in extents]
    assert ends[:-1] == [extent.offset for extent in extents[1:]]
    assert ends[-1] == path.stat().st_size


def test_stray_byte_after_a_message_is_passed_over(real_data):
    path = real_data / "hrrr_conus" / "snowcast_hrrr_sample.grib2"
    (extent,) = find_messages(path)
    assert path.stat().st_size == extent.length + 1


def test_headers_name_the_state_variables(idaho):
    found = []
    for message in read_messages(idaho / "hrrr.t05z.wrfsfcf01.grib2"):
        with opened(message) as handle:
            header = read_header(handle)
        assert header.init == datetime(2018, 7, 22, 5)
        if header.variable:
            assert header.lead == 1
            found.append(header.variable.name)
    # The file holds no reflectivity, and may hold more variables of the table than a usual state.
    assert found.count("T2M") == 1
    assert {*found} & {*DEFAULT_STATE, "OROG"} == {*DEFAULT_STATE, "OROG"} - {"REFC"}


def test_a_lying_name_is_seen_in_the_header(idaho):
    with opened(next(read_messages(idaho / "hrrr.t01z.wrfsfcf03.grib2"))) as handle:
        header = read_header(handle)
    assert (header.init.hour, header.lead) == (3, 1)


def test_quarter_hour_has_no_whole_lead(real_data):
    path = real_data / "hrrr_conus" / "hrrr.wrfsubhf.sample.grib2"
    with opened(next(read_messages(path))) as handle:
        header = read_header(handle)
    assert header.variable is not None
    assert header.variable.name == "REFC"
    assert header.lead is None


def test_full_grid_agrees_with_eccodes_to_a_metre(real_data):
    path = real_data / "hrrr_conus" / "snowcast_hrrr_sample.grib2"
    with opened(next(read_messages(path))) as handle:
        grid = read_grid(handle)
        latitude = eccodes.codes_get_array(handle, "latitudes").reshape(grid.shape)
        longitude = eccodes.codes_get_array(handle, "longitudes").reshape(grid.shape)
        assert grid_relative_winds(handle)
    assert grid.shape == HRRR.shape
    x, y = grid.from_longitude_latitude(longitude, latitude)
    assert np.abs(x - np.array(grid.x)).max() < 1.0
    assert np.abs(y - np.array(grid.y)[:, None]).max() < 1.0


def test_crop_lies_on_the_full_grid(idaho):
    with opened(next(read_messages(idaho / "hrrr.t00z.wrfsfcf01.grib2"))) as handle:
        grid = read_grid(handle)
    full = HRRR.crop(slice(711, 711 + 78), slice(366, 366 + 41))
    assert grid.shape == full.shape
    assert np.allclose(grid.x, full.x, atol=1.0)
    assert np.allclose(grid.y, full.y, atol=1.0)


def shortest(length):
    """The shortest that may be a message, of 20 bytes, and the length that it says it has."""
    return b"GRIB\0\0\0\2" + length.to_bytes(8, "big") + b"7777"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"<html>not found</html>", "no GRIB message"),
        (b"GRIB\0\0\0\1" + b"\0" * 40, "edition 1"),
        (b"GRIB\0\0\0", "cut off"),
        (shortest(20)[:-4] + b"6666", "end in 7777"),
        (shortest(21), "byte 0 should be 21 bytes long"),
        # Where a message before it ends in 7777, a length of 0 leads back to itself.
        (shortest(20) + shortest(0), "byte 20 should be 0 bytes long"),
        (shortest(20) + shortest(15), "byte 20 should be 15 bytes long"),
    ],
)
def test_bad_files_are_told_apart(tmp_path, content, complaint):
    (tmp_path / "a.grib2").write_bytes(content)
    with pytest.raises(StormdrawError, match=complaint):
        find_messages(tmp_path / "a.grib2")


def test_truncated_message_is_an_error(tmp_path, idaho):
    whole = (idaho / "hrrr.t00z.wrfsfcf01.grib2").read_bytes()
    (tmp_path / "a.grib2").write_bytes(whole[:-10])
    with pytest.raises(StormdrawError, match=r"a\.grib2: the message at byte \d+ should be"):
        find_messages(tmp_path / "a.grib2")


def test_what_is_no_file_is_told(tmp_path):
    with pytest.raises(StormdrawError, match=r"a\.grib2: cannot be read: Is a directory"):
        (tmp_path / "a.grib2").mkdir()
        find_messages(tmp_path / "a.grib2")
    with pytest.raises(StormdrawError, match="No such file"):
        find_messages(tmp_path / "b.grib2")


def test_messages_before_damage_are_read(tmp_path, idaho):
    whole = (idaho / "hrrr.t00z.wrfsfcf01.grib2").read_bytes()
    (tmp_path / "a.grib2").write_bytes(whole[:-10])
    messages = read_messages(tmp_path / "a.grib2")
    assert len([next(messages) for _ in range(51)]) == 51
    with pytest.raises(StormdrawError, match="cut off"):
        next(messages)


def test_templates_without_a_surface_or_a_lead(tmp_path, real_data):
    """Radar and satellite products, of which ecCodes has no such keys."""
    (message, *_) = read_messages(real_data / "hrrr_conus" / "hrrr.wrfsubhf.sample.grib2")
    for template in (20, 30, 31):
        with opened(message) as handle:
            eccodes.codes_set(handle, "productDefinitionTemplateNumber", template)
            other = eccodes.codes_get_message(handle)
        with opened(other) as handle:
            header = read_header(handle)
        assert (header.variable, header.lead) == (None, None)
        assert header.init == datetime(2022, 10, 14, 1)


def test_a_time_with_seconds(real_data):
    """Of MRMS, whose `dataTime` ecCodes cannot tell."""
    (path,) = (real_data / "mrms").glob("*.grib2")
    with opened(next(read_messages(path))) as handle:
        assert read_header(handle).init == datetime(2022, 7, 4, 11, 0, 40)
