"""Grids and the order of values, against ecCodes' own iterator over points."""

import eccodes
import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.grid_headers import in_map_order, read_grid

EARTH = {"shapeOfTheEarth": 6}
OBLATE = {"shapeOfTheEarth": 5}  # WGS84
SHAPE = {"Nx": 5, "Ny": 4}


def metres(dx, dy, names=("Dx", "Dy")):
    return {names[0]: dx * 1000, names[1]: dy * 1000}


LAMBERT = {
    "gridDefinitionTemplateNumber": 30,
    **EARTH,
    **SHAPE,
    "latitudeOfFirstGridPoint": 31_000_000,
    "longitudeOfFirstGridPoint": 262_000_000,
    "LaD": 25_000_000,
    "Latin1": 25_000_000,
    "Latin2": 40_000_000,
    "LoV": 265_000_000,
    **metres(5000, 4000),
}
NORTH_POLE = {
    "gridDefinitionTemplateNumber": 20,
    **EARTH,
    **SHAPE,
    "latitudeOfFirstGridPoint": 42_000_000,
    "longitudeOfFirstGridPoint": 240_000_000,
    "LaD": 60_000_000,
    "orientationOfTheGrid": 250_000_000,
    "projectionCentreFlag": 0,
    **metres(10_000, 10_000),
}
SOUTH_POLE = {
    **NORTH_POLE,
    "latitudeOfFirstGridPoint": -62_000_000,
    "LaD": -71_000_000,
    "projectionCentreFlag": 128,
}
MERCATOR = {
    "gridDefinitionTemplateNumber": 10,
    **EARTH,
    "Ni": 5,
    "Nj": 4,
    "latitudeOfFirstGridPoint": 18_000_000,
    "longitudeOfFirstGridPoint": 291_000_000,
    "latitudeOfLastGridPoint": 18_067_000,
    "longitudeOfLastGridPoint": 291_095_000,
    "LaD": 20_000_000,
    "orientationOfTheGrid": 0,
    **metres(2500, 2500, ("Di", "Dj")),
}
DEGREES = {
    "gridDefinitionTemplateNumber": 0,
    **EARTH,
    "Ni": 5,
    "Nj": 4,
    "latitudeOfFirstGridPoint": 35_000_000,
    "longitudeOfFirstGridPoint": 359_333_333,
    "latitudeOfLastGridPoint": 36_000_000,
    "longitudeOfLastGridPoint": 666_667,
    "iDirectionIncrement": 333_333,
    "jDirectionIncrement": 333_333,
}


def first_to_last(keys, south, west):
    """The same grid of degrees, told from another corner."""
    ends = {}
    for side, turned in (("latitude", south), ("longitude", west)):
        first, last = (keys[f"{side}Of{end}GridPoint"] for end in ("First", "Last"))
        ends[f"{side}OfFirstGridPoint"] = last if turned else first
        ends[f"{side}OfLastGridPoint"] = first if turned else last
    return {**keys, **ends}


CASES = {
    "lambert": {**LAMBERT, "scanningMode": 64},
    "lambert on an ellipsoid": {**LAMBERT, **OBLATE, "scanningMode": 64},
    "north pole": {**NORTH_POLE, "scanningMode": 64},
    "south pole": {**SOUTH_POLE, "scanningMode": 64},
    "mercator": {**MERCATOR, "scanningMode": 64},
    "degrees": {**DEGREES, "scanningMode": 64},
    "degrees, southward": {**first_to_last(DEGREES, True, False), "scanningMode": 0},
    "degrees, by columns": {**DEGREES, "scanningMode": 64 + 32},
    "lambert, to and fro": {**LAMBERT, "scanningMode": 64 + 16},
}


@pytest.fixture
def message():
    """A function that makes a handle with these keys, its values 0, 1, 2 ... as they are stored."""
    handles = []

    def make(keys):
        handle = eccodes.codes_grib_new_from_samples("GRIB2")
        handles.append(handle)
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        eccodes.codes_set(handle, "bitsPerValue", 16)
        eccodes.codes_set_values(handle, np.arange(20.0))
        content = eccodes.codes_get_message(handle)
        handles.append(eccodes.codes_new_from_message(content))
        return handles[-1]

    yield make
    for handle in handles:
        eccodes.codes_release(handle)


def iterated(handle):
    """(latitude, longitude, value) of each point as ecCodes walks over them."""
    iterator = eccodes.codes_grib_iterator_new(handle, 0)
    points = []
    while point := eccodes.codes_grib_iterator_next(iterator):
        points.append(point)
    eccodes.codes_grib_iterator_delete(iterator)
    return {round(value): (latitude, longitude) for latitude, longitude, value in points}


@pytest.mark.parametrize("keys", [NORTH_POLE, LAMBERT], ids=["north pole", "lambert"])
def test_rows_stored_southward_start_at_the_first_point(keys, message):
    """By the standard's words: ecCodes' own points run northward here, whatever the flag."""
    handle = message({**keys, "scanningMode": 0})
    grid = read_grid(handle)
    field = in_map_order(handle, eccodes.codes_get_array(handle, "values", ktype=np.float32))
    longitude, latitude = grid.longitude_latitude()
    assert field[:, 0].tolist() == [15, 10, 5, 0]
    assert latitude[-1, 0] == pytest.approx(keys["latitudeOfFirstGridPoint"] / 1e6, abs=1e-6)
    assert longitude[-1, 0] % 360 == pytest.approx(keys["longitudeOfFirstGridPoint"] / 1e6)
    assert np.allclose(np.diff(grid.y), keys["Dy"] / 1e3)


@pytest.mark.parametrize("case", CASES)
def test_points_are_where_eccodes_says(case, message):
    handle = message(CASES[case])
    grid = read_grid(handle)
    field = in_map_order(handle, eccodes.codes_get_array(handle, "values", ktype=np.float32))
    longitude, latitude = grid.longitude_latitude()
    assert (np.diff(grid.x) > 0).all()
    assert (np.diff(grid.y) > 0).all()
    expected = iterated(handle)
    for row, column in np.ndindex(grid.shape):
        theirs = expected[round(float(field[row, column]))]
        # 1e-5 degrees are a metre.
        assert latitude[row, column] == pytest.approx(theirs[0], abs=1e-5)
        assert abs((longitude[row, column] - theirs[1] + 180) % 360 - 180) < 1e-5


def test_an_unknown_kind_of_grid_is_an_error(message):
    handle = message({"gridDefinitionTemplateNumber": 30, **EARTH})
    eccodes.codes_set(handle, "gridDefinitionTemplateNumber", 1)
    with pytest.raises(StormdrawError, match="a message on a rotated_ll grid: only lambert"):
        read_grid(handle)
