"""Fields kept on their own grid: which are, and that they are read as they would be stored."""

from datetime import datetime

import numpy as np
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.driving_registry import driving_model
from stormdraw.fields.own_grid import kept_grid, placement
from stormdraw.fields.settings import Fields
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.target import Checks, Target
from stormdraw.grids import WHOLE_GRID, lambert, latitude_longitude

CROP = HRRR.crop(slice(480, 570), slice(880, 1000))
GLOBAL = latitude_longitude(0.0, 359.75, -90.0, 90.0, (721, 1440))
COARSE_MAP = lambert(
    first_latitude=30.0,
    first_longitude=255.0,
    shape=(60, 70),
    spacing=(27_000.0, 27_000.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)
SAME_MAP = type(HRRR)(HRRR.crs, HRRR.x[800:1100:10], HRRR.y[400:660:10])
SOURCES = {"degrees": GLOBAL, "another map": COARSE_MAP, "the same map": SAME_MAP}
# Winds, of each kind of regridding one, and reflectivity, whose blocks are averaged as power.
NAMES = ("U10", "CAPE", "V10", "T2M", "REFC", "APCP")
VALID = datetime(2026, 6, 8)


def fields_on(source):
    random = np.random.default_rng(5)
    ranges = {"U10": (-30, 30), "V10": (-30, 30), "CAPE": (0, 3000), "T2M": (270, 310)}
    return {
        name: random.uniform(*ranges.get(name, (0, 50)), source.shape).astype(np.float32)
        for name in NAMES
    }


def placed(fields, source, target):
    """As the fields of all other sources are put on the target grid."""
    checks = Checks(VALID, Fields().suspicious)
    own = [SourceField(name, values, source, "here") for name, values in fields.items()]
    return target.place(own, checks)[0]


def kept(fields, source, target):
    """As `write_driving` keeps them."""
    grid = kept_grid(source, target)
    return grid, placed(fields, source, Target(grid))


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("factor", [1, 3])
def test_fields_are_read_as_they_would_be_stored(source, factor):
    fields, target = fields_on(source), Target.of(Fields(coarsen=factor), CROP)
    stored = placed(fields, source, target)
    grid, own = kept(fields, source, target)
    assert grid != target.grid
    place = placement(grid, target, NAMES)
    stack = np.stack([own[name] for name in NAMES])
    read = place.place(stack, WHOLE_GRID)
    for name, field in zip(NAMES, read, strict=True):
        if (source, factor) == (GLOBAL, 1):
            np.testing.assert_array_equal(field, stored[name], err_msg=name)
        else:
            # Float32 is rounded once here, and twice there; positions are to a millionth of a
            # spacing, on the whole grid and on its part.
            scale = 4 * np.finfo(np.float32).eps + 2e-6
            assert np.abs(field - stored[name]).max() <= scale * np.abs(fields[name]).max(), name
    assert np.ptp(read[3]) > 10
    window = slice(3, 21), slice(7, 39)
    out = np.empty((len(NAMES), 18, 32), np.float32)
    assert place.place(stack, window, out) is out
    np.testing.assert_array_equal(out, read[:, *window])


def test_the_grid_of_fewer_points_is_kept():
    """GFS's for HRRR's, for what of it covers the target; HRRR's never for a coarser target."""
    target = Target(CROP)
    own = kept_grid(GLOBAL, target)
    longitude, latitude = CROP.longitude_latitude()
    assert own.crs == GLOBAL.crs
    # The points around the target's, and two more.
    for axis, points in ((own.x, longitude % 360), (own.y, latitude)):
        assert axis[0] == np.floor(4 * points.min()) / 4 - 0.5
        assert axis[-1] == np.ceil(4 * points.max()) / 4 + 0.5
    assert kept_grid(HRRR, target) == CROP
    coarse = Target.of(Fields(coarsen=12), CROP)
    assert kept_grid(GLOBAL, coarse) == coarse.grid
    assert kept_grid(HRRR, Target.of(Fields(coarsen=2), CROP)).shape == (45, 60)


def test_a_source_that_does_not_cover_the_target_is_put_on_it():
    """Points beyond it are missing then, and the table of findings tells so."""
    part = GLOBAL.crop(slice(500, 520), slice(1045, 1060))
    target = Target(CROP)
    assert kept_grid(part, target) == target.grid


def test_a_year_of_gfs_over_hrrrs_grid_takes_a_fiftieth():
    own = kept_grid(driving_model("gfs").grid(), Target(HRRR))
    assert own.shape[0] * own.shape[1] < HRRR.shape[0] * HRRR.shape[1] / 45
