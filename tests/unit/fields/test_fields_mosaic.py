"""A radar mosaic on the target grid: average of power, or maximum, over the points of a cell."""

import sys
from pathlib import Path

import numpy as np
import pyproj
import pytest
from scipy.spatial import KDTree

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.truth import Codes
from stormdraw.fields.mosaic import cells
from stormdraw.fields.source_fields import SourceField
from stormdraw.grib_values import decode
from stormdraw.grids import Grid, latitude_longitude
from stormdraw.messages import opened, read_grid

CODES = Codes(no_coverage=-999.0, no_echo=-99.0)
# 6 x 8 points of HRRR in Idaho, and a hundredth of a degree all around them.
TARGET = HRRR.crop(slice(700, 706), slice(500, 508))

# Points a hundredth of a degree apart, and a quarter of that.
COARSE = latitude_longitude(-115.5, -115.0, 43.3, 43.8, (51, 51))
FINER = latitude_longitude(-115.31, -115.25, 43.5, 43.56, (25, 25))


def source_around(target: Grid, margin: float = 0.2) -> Grid:
    """The points of a mosaic around a target."""
    longitude, latitude = target.longitude_latitude()
    west, east = (
        np.floor((longitude.min() - margin) * 100),
        np.ceil((longitude.max() + margin) * 100),
    )
    south, north = (
        np.floor((latitude.min() - margin) * 100),
        np.ceil((latitude.max() + margin) * 100),
    )
    shape = (round(north - south) + 1, round(east - west) + 1)
    return latitude_longitude(*(edge / 100 for edge in (west, east, south, north)), shape)


def place(values, source, method="average", target=TARGET):
    field = SourceField("REFC", np.asarray(values, np.float32), source, "a mosaic")
    return cells(source, target).place(field, CODES, method)


def in_cells(source: Grid, target: Grid) -> dict[int, list[int]]:
    """The source points of each cell, by the nearest neighbour in PROJ's coordinates."""
    longitude, latitude = source.longitude_latitude()
    project = pyproj.Proj(target.crs)
    points = np.column_stack([one.ravel() for one in project(longitude, latitude)])
    x, y = np.meshgrid(target.x, target.y)
    _, nearest = KDTree(np.column_stack([x.ravel(), y.ravel()])).query(points)
    dy, dx = target.spacing
    reached = (np.abs(points[:, 0] - x.ravel()[nearest]) <= dx / 2) & (
        np.abs(points[:, 1] - y.ravel()[nearest]) <= dy / 2
    )
    found: dict[int, list[int]] = {cell: [] for cell in range(x.size)}
    for point in np.flatnonzero(reached):
        found[int(nearest[point])].append(int(point))
    return found


@pytest.fixture(scope="module")
def source():
    return source_around(TARGET)


@pytest.fixture(scope="module")
def echoes(source):
    """Echoes, no echoes and no coverage, a third each, in half decibels."""
    generator = np.random.default_rng(5)
    values = np.rint(generator.uniform(-40, 130, source.shape)) / 2
    kind = generator.integers(0, 3, source.shape)
    return np.select([kind == 0, kind == 1], [CODES.no_coverage, CODES.no_echo], values)


@pytest.mark.parametrize("method", ["average", "maximum"])
def test_each_cell_takes_of_the_points_nearest_to_it(source, echoes, method):
    placed = place(echoes, source, method).ravel()
    flat = echoes.ravel()
    for cell, points in in_cells(source, TARGET).items():
        covered = [flat[point] for point in points if flat[point] != CODES.no_coverage]
        if 2 * len(covered) < len(points):
            assert np.isnan(placed[cell])
            continue
        seen = [dbz for dbz in covered if dbz != CODES.no_echo]
        if method == "maximum":
            expected = max([*seen, -10.0])
        else:
            power = sum(10 ** (dbz / 10) for dbz in seen) / len(covered)
            expected = 10 * np.log10(max(power, 0.1))
        assert placed[cell] == pytest.approx(expected, abs=1e-4)
    # Both sides of the rule of one half occur.
    assert 0.1 < np.isnan(placed).mean() < 0.9


def test_one_echo_in_a_cell_of_n_is_10_log_n_weaker_on_average(source):
    places = in_cells(source, TARGET)[20]
    values = np.full(source.shape, CODES.no_echo)
    values.ravel()[places[0]] = 40.0
    average, maximum = (place(values, source, method).ravel() for method in ("average", "maximum"))
    assert average[20] == pytest.approx(40.0 - 10 * np.log10(len(places)), abs=1e-4)
    assert maximum[20] == 40.0
    assert set(np.delete(average, 20)) == set(np.delete(maximum, 20)) == {-10.0}


def test_half_of_a_cells_points_are_enough(source):
    points = next(found for found in in_cells(source, TARGET).values() if len(found) % 2 == 0)
    (cell,) = (c for c, found in in_cells(source, TARGET).items() if found == points)
    values = np.full(source.shape, 25.0)
    half = len(points) // 2
    values.ravel()[points[:half]] = CODES.no_coverage
    assert place(values, source).ravel()[cell] == pytest.approx(25.0, abs=1e-4)
    values.ravel()[points[: half + 1]] = CODES.no_coverage
    placed = place(values, source).ravel()
    assert np.isnan(placed[cell])
    assert np.isfinite(np.delete(placed, cell)).all()


def test_a_weak_echo_is_at_the_floor(source):
    assert set(place(np.full(source.shape, -20.0), source).ravel()) == {-10.0}


@pytest.mark.parametrize("method", ["average", "maximum"])
def test_a_code_is_no_value(source, method):
    """Also where it is larger than any echo."""
    codes = Codes(no_coverage=300.0, no_echo=200.0)
    for grid, target in ((source, TARGET), (COARSE, FINER)):
        field = SourceField("REFC", np.full(grid.shape, 200.0, np.float32), grid, "a mosaic")
        assert set(cells(grid, target).place(field, codes, method).ravel()) == {-10.0}


def test_beyond_the_mosaic_is_missing(source):
    west = source.crop(slice(None), slice(0, source.shape[1] // 2))
    placed = place(np.full(west.shape, 30.0), west)
    expected = [bool(found) for found in in_cells(west, TARGET).values()]
    assert np.isfinite(placed).ravel().tolist() == expected
    assert 0.2 < np.mean(expected) < 0.8
    # No time is spent on the nearest points of cells that have none.
    assert cells(west, TARGET)._without.size == 0


def test_all_of_a_target_far_from_the_mosaic_is_missing(source):
    """Of each direction: the mosaic then has no row, or no column, around the target."""
    for rows, columns in ((0, 880), (1052, 500), (700, 0), (700, 1791)):
        far = HRRR.crop(slice(rows, rows + 6), slice(columns, columns + 8))
        placed = place(np.full(source.shape, 30.0), source, target=far)
        assert placed.shape == far.shape
        assert np.isnan(placed).all()


@pytest.mark.parametrize("method", ["average", "maximum"])
def test_a_target_finer_than_the_mosaic_takes_the_nearest_point(method):
    target, coarse = FINER, COARSE
    values = np.random.default_rng(2).uniform(0, 50, coarse.shape)
    values[:23] = CODES.no_coverage
    placed = place(values, coarse, method, target)
    row = np.rint((np.array(target.y) - 43.3) / 0.01).astype(int)
    column = np.rint((np.array(target.x) + 115.5) / 0.01).astype(int)
    inner = np.s_[1::4], np.s_[1::4]
    for j, i in np.ndindex(6, 6):
        y, x = 4 * j + 1, 4 * i + 1
        expected = values[row[y], column[x]]
        if expected == CODES.no_coverage:
            assert np.isnan(placed[y, x])
        else:
            assert placed[y, x] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(placed[inner]).any()


WINDOWS = {
    "coast": (slice(0, 300), slice(600, 900)),
    "conus": (slice(None), slice(None)),
}


@pytest.mark.parametrize("window", ["coast", pytest.param("conus", marks=pytest.mark.slow)])
def test_a_real_mosaic_covers_as_large_a_share_as_its_points_do(window, real_data):
    """Points count by their area; off the coast, and beyond the borders, no radar sees."""
    path = real_data / "mrms" / "MRMS_MergedReflectivityQCComposite_00.50_20220704-110040.grib2"
    if not path.is_file():
        pytest.skip(f"no {path}")
    with opened(path.read_bytes()) as handle:
        values, source = decode(handle), read_grid(handle)
    target = HRRR.crop(*WINDOWS[window])
    placed = place(values, source, target=target)
    found = cells(source, target)
    within = found.nearest < target.shape[0] * target.shape[1]
    area = np.broadcast_to(np.cos(np.radians(source.y))[:, None], source.shape)
    area = area[found.window].ravel()[within]
    covered = values[found.window].ravel()[within] != CODES.no_coverage
    reached = found.points.reshape(target.shape) > 0
    share = np.isfinite(placed)[reached].mean()
    assert share == pytest.approx((area * covered).sum() / area.sum(), abs=0.005)
    assert 0.2 < share < 0.95
    # The largest echo is in one cell, and an average does not exceed it.
    largest = values[found.window].ravel()[within].max()
    assert np.nanmax(place(values, source, "maximum", target)) == largest
    assert np.nanmax(placed) < largest
