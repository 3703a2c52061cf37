import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.coarsening import fine_grid
from stormdraw.fields.regridding import Regridder
from stormdraw.grids import Grid, lambert, latitude_longitude, polar_stereographic

TARGET = HRRR.crop(slice(480, 520), slice(880, 931))
SOURCE = lambert(
    first_latitude=35.0,
    first_longitude=258.0,
    shape=(120, 150),
    spacing=(5000.0, 5000.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)
DEGREES = latitude_longitude(west=250.0, east=285.0, south=30.0, north=48.0, shape=(181, 351))
POLAR = polar_stereographic(
    first_latitude=31.0,
    first_longitude=254.0,
    shape=(150, 190),
    spacing=(10_000.0, 10_000.0),
    central_longitude=249.0,
    true_latitude=60.0,
)
SOURCES = {"lambert": SOURCE, "degrees": DEGREES, "polar": POLAR}


def bilinear(source: Grid, target: Grid, field: np.ndarray) -> np.ndarray:
    regridder = Regridder(source, target)
    return regridder.bilinear(regridder.cut(field))


def nearest(source: Grid, target: Grid, field: np.ndarray) -> np.ndarray:
    regridder = Regridder(source, target)
    return regridder.nearest(regridder.cut(field))


def on_source(target: Grid, source: Grid = SOURCE) -> tuple[np.ndarray, np.ndarray]:
    x, y = source.from_longitude_latitude(*target.longitude_latitude())
    return (x % 360 if source.geographic else x), y


def between(source: Grid, x: np.ndarray, y: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Which points lie between the source's outermost points, widened by so many spacings."""
    dy, dx = (margin * step for step in source.spacing)
    inside = (x >= source.x[0] - dx) & (x <= source.x[-1] + dx)
    return inside & (y >= source.y[0] - dy) & (y <= source.y[-1] + dy)


CROPS = st.tuples(st.integers(300, 700), st.integers(500, 1100), *[st.integers(2, 60)] * 2)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list(SOURCES.values())), CROPS, *[st.floats(-1, 1) for _ in range(3)])
def test_bilinear_is_exact_for_a_linear_field(source, crop, a, b, c):
    """On any crop of HRRR's grid, wherever it lies within the source."""
    row, column, rows, columns = crop
    target = HRRR.crop(slice(row, row + rows), slice(column, column + columns))
    scale = source.x[-1] - source.x[0]
    x, y = np.meshgrid(source.x, source.y)
    target_x, target_y = on_source(target, source)
    linear = a + b * x / scale + c * y / scale
    expected = a + b * target_x / scale + c * target_y / scale
    result = bilinear(source, target, linear)
    inside, beyond = between(source, target_x, target_y), ~between(source, target_x, target_y, 0.01)
    assert np.allclose(result[inside], expected[inside], atol=1e-7)
    assert np.isnan(result[beyond]).all()


def test_bilinear_and_nearest_agree_with_scipy():
    field = np.random.default_rng(0).normal(size=SOURCE.shape)
    x, y = on_source(TARGET)
    for method, ours in (("linear", bilinear), ("nearest", nearest)):
        theirs = RegularGridInterpolator((SOURCE.y, SOURCE.x), field, method=method)
        expected = theirs(np.stack([y, x], axis=-1))
        assert np.allclose(ours(SOURCE, TARGET, field), expected, atol=1e-5)


def test_nearest_makes_no_new_values():
    field = np.where(np.random.default_rng(0).random(SOURCE.shape) < 0.8, -10.0, 40.0)
    assert set(np.unique(nearest(SOURCE, TARGET, field))) == {-10.0, 40.0}


def test_points_outside_the_source_are_missing():
    x, y = on_source(TARGET)
    middle = int(np.searchsorted(SOURCE.x, x.mean()))
    small = SOURCE.crop(slice(0, None), slice(0, middle))
    inside = between(small, x, y, 0.01)
    assert 0 < inside.sum() < inside.size
    for method in (bilinear, nearest):
        assert (np.isfinite(method(small, TARGET, np.ones(small.shape))) == inside).all()


def test_a_missing_neighbour_makes_the_point_missing():
    field = np.ones(SOURCE.shape)
    field[60, 70] = np.nan
    result = bilinear(SOURCE, TARGET, field)
    x, y = on_source(TARGET)
    near = (np.abs(x - SOURCE.x[70]) < 5000) & (np.abs(y - SOURCE.y[60]) < 5000)
    assert (np.isnan(result) == near).all()


def test_same_grid_is_passed_through():
    field = np.random.default_rng(0).normal(size=TARGET.shape)
    assert Regridder(TARGET, TARGET).bilinear(field) is field
    assert Regridder(TARGET, TARGET).nearest(field) is field


def test_a_missing_point_of_no_weight_does_no_harm():
    """A point of the target on a point of the source, to a millimetre, takes that one alone."""
    field = np.ones(SOURCE.shape, np.float32)
    field[60, 71:73] = field[61, 70] = field[62, 70] = np.nan
    x, y = np.array(SOURCE.x[70:73:2]) + 1e-3, np.array(SOURCE.y[60:63:2]) + 1e-3
    every_second = Grid(SOURCE.crs, tuple(x), tuple(y))
    assert np.array_equal(
        bilinear(SOURCE, every_second, field), [[1, np.nan], [np.nan, 1]], equal_nan=True
    )


def test_a_target_that_begins_on_the_last_row():
    """Its first row lies on the source's last, its second beyond."""
    field = np.random.default_rng(0).normal(size=SOURCE.shape)
    target = Grid(SOURCE.crs, SOURCE.x[10:14], (SOURCE.y[-1], SOURCE.y[-1] + 5000.0))
    # Interpolation takes two rows, and areas reach two points further.
    assert Regridder(SOURCE, target).source.shape == (4, 8)
    for method in (bilinear, nearest):
        result = method(SOURCE, target, field)
        assert np.array_equal(result[0], field[-1, 10:14])
        assert np.isnan(result[1]).all()


def conservative(source: Grid, target: Grid, field: np.ndarray) -> np.ndarray:
    regridder = Regridder(source, target)
    return regridder.conservative(regridder.cut(field))


def overlaps(target: tuple[float, ...], source: tuple[float, ...]) -> np.ndarray:
    """The share of each target interval in each source interval, both by their middles."""
    (t, dt), (s, ds) = ((np.array(axis), axis[1] - axis[0]) for axis in (target, source))
    ends = np.minimum(t[:, None] + dt / 2, s + ds / 2)
    starts = np.maximum(t[:, None] - dt / 2, s - ds / 2)
    return np.maximum(ends - starts, 0.0) / dt


@pytest.mark.parametrize("spacing", [700.0, 2400.0, 2500.0, 5000.0, 12_000.0])
def test_conservative_means_are_those_of_the_areas(spacing):
    axis = tuple(spacing / 2 + spacing * np.arange(60_000 // spacing))
    source = Grid(HRRR.crs, axis, axis)
    inner = [13_700.0 + 3000.0 * i for i in range(8)]
    target = Grid(HRRR.crs, tuple(inner), tuple(inner))
    field = np.random.default_rng(0).exponential(size=source.shape)
    weights = overlaps(target.y, source.y), overlaps(target.x, source.x)
    expected = weights[0] @ field @ weights[1].T
    # Positions are rounded to a millionth of a spacing.
    assert np.allclose(conservative(source, target, field), expected, atol=1e-5 * field.max())


@pytest.mark.parametrize("name", SOURCES)
def test_conservative_agrees_with_finer_sampling_on_any_grid(name):
    """As the mean over 25 x 25 points of each area, each with the value of its nearest point."""
    source, factor = SOURCES[name], 25
    field = np.random.default_rng(0).exponential(size=source.shape)
    fine = nearest(source, fine_grid(TARGET, factor), field)
    rows, columns = TARGET.shape
    expected = fine.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    error = conservative(source, TARGET, field) - expected
    # Exact shares would err by that of the points: half of one of 25 on each edge.
    assert np.abs(error).max() < 0.06 * np.ptp(field)
    assert np.sqrt(np.mean(error**2)) < 0.03 * field.std()
    assert abs(error.mean()) < 0.003 * field.std()


def test_conservative_keeps_the_amount_of_a_single_shower():
    axis = tuple(5000.0 * np.arange(14))
    source, inner = Grid(HRRR.crs, axis, axis), tuple(7500.0 + 3000.0 * np.arange(18))
    target = Grid(HRRR.crs, inner, inner)
    for row in range(4, 9):
        field = np.zeros(source.shape)
        field[row, row] = 1.0
        total = {
            method: method(source, target, field).sum() * 3000.0**2 / 5000.0**2
            for method in (conservative, bilinear, nearest)
        }
        assert total[conservative] == pytest.approx(1.0, rel=1e-9)
        # Which is not so for all others.
        assert abs(total[bilinear] - 1.0) > 0.01
        assert abs(total[nearest] - 1.0) > 0.1


def test_a_missing_part_of_an_area_makes_the_point_missing():
    source = Grid(HRRR.crs, tuple(3000.0 * np.arange(8)), tuple(3000.0 * np.arange(8)))
    shifted = tuple(1500.0 + 3000.0 * np.arange(2, 5))
    field = np.ones(source.shape)
    field[3, 3] = np.nan
    expected = np.ones((3, 3))
    expected[:2, :2] = np.nan
    result = conservative(source, Grid(HRRR.crs, shifted, shifted), field)
    assert np.array_equal(result, expected, equal_nan=True)


def test_a_missing_point_without_a_share_of_the_area_does_no_harm():
    """Nine areas lie in that of each source point."""
    axis = tuple(9000.0 * np.arange(5))
    inner = tuple(6000.0 + 3000.0 * np.arange(9))
    field = np.ones((5, 5))
    field[2, 2] = np.nan
    expected = np.ones((9, 9))
    expected[3:6, 3:6] = np.nan
    result = conservative(Grid(HRRR.crs, axis, axis), Grid(HRRR.crs, inner, inner), field)
    assert np.array_equal(np.isnan(result), np.isnan(expected))


def test_beyond_the_source_there_are_no_areas():
    axis = tuple(SOURCE.x[:2]) + tuple(SOURCE.x[1] + 5000.0 * np.arange(1, 3))
    target = Grid(SOURCE.crs, tuple(x - 10_000.0 for x in axis), SOURCE.y[:3])
    result = conservative(SOURCE, target, np.ones(SOURCE.shape))
    assert np.array_equal(
        np.isnan(result), np.isnan(nearest(SOURCE, target, np.ones(SOURCE.shape)))
    )
    assert np.isnan(result).any()


def test_areas_on_both_sides_of_the_first_meridian():
    """Half of a target point's area is of 358 E, half of 0 E."""
    globe = latitude_longitude(0.0, 358.0, -90.0, 90.0, (91, 180))
    field = np.tile(np.arange(180.0), (91, 1))
    target = latitude_longitude(355.0, 363.0, 40.0, 44.0, (3, 5))
    expected = [177.5, 178.5, 179 / 2, 0.5, 1.5]
    assert np.allclose(conservative(globe, target, field)[1], expected, atol=1e-9)


def test_a_grid_round_the_earth_has_no_edge():
    """cos(longitude), on points every 2 degrees from 0 to 358, at points between 358 and 0."""
    globe = latitude_longitude(0.0, 358.0, -90.0, 90.0, (91, 180))
    field = np.cos(np.deg2rad(globe.longitude_latitude()[0]))
    target = latitude_longitude(357.0, 362.0, 10.0, 12.0, (3, 6))
    by_hand = [(np.cos(np.deg2rad(2)) + 1) / 2, 1.0]
    ends = [np.cos(np.deg2rad(2)), (np.cos(np.deg2rad(4)) + np.cos(np.deg2rad(2))) / 2]
    expected = [ends[1], ends[0], *by_hand, by_hand[0], ends[0]]
    assert np.allclose(bilinear(globe, target, field), expected)
    assert np.isfinite(nearest(globe, target, field)).all()
    # Between the last column, at 358 degrees, and the first.
    gap = latitude_longitude(358.5, 359.5, 10.0, 12.0, (3, 2))
    by_hand = [1 + (np.cos(np.deg2rad(2)) - 1) * part for part in (0.75, 0.25)]
    assert np.allclose(bilinear(globe, gap, field), by_hand)


def flow(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Solid rotation about an axis through 35 N, 100 W, 20 m/s at its equator: east and north."""
    longitude, latitude = (np.deg2rad(angle) for angle in grid.longitude_latitude())
    pole, distance = np.deg2rad(35.0), longitude + np.deg2rad(100.0)
    # The cross product of the axis with the position, along east and north.
    east = np.sin(pole) * np.cos(latitude) - np.cos(pole) * np.sin(latitude) * np.cos(distance)
    return 20 * east, 20 * np.cos(pole) * np.sin(distance)


def along_axes(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The same flow along a grid's axes: turned by where a short way to the east leads on it."""
    east, north = flow(grid)
    longitude, latitude = grid.longitude_latitude()
    x0, y0 = grid.from_longitude_latitude(longitude, latitude)
    x1, y1 = grid.from_longitude_latitude(longitude + 1e-5, latitude)
    angle = np.zeros(grid.shape) if grid.geographic else np.arctan2(y1 - y0, x1 - x0)
    turned = (east + 1j * north) * np.exp(1j * angle)
    return turned.real, turned.imag


@pytest.mark.parametrize("grid_relative", [True, False])
@pytest.mark.parametrize("name", SOURCES)
def test_a_rotating_flow_comes_out_along_the_targets_axes(name, grid_relative):
    source = SOURCES[name]
    u, v = along_axes(source) if grid_relative else flow(source)
    regridder = Regridder(source, TARGET)
    result = regridder.wind(regridder.cut(u), regridder.cut(v), grid_relative)
    # Bilinear interpolation over 10 km of a flow that turns over thousands.
    assert np.allclose(result, along_axes(TARGET), atol=2e-4)


def test_earth_relative_wind_is_turned_once():
    ones, zeros = np.ones(TARGET.shape), np.zeros(TARGET.shape)
    u, v = Regridder(TARGET, TARGET).wind(ones, zeros, grid_relative=False)
    angle = np.deg2rad(np.sin(np.deg2rad(38.5)) * (TARGET.longitude_latitude()[0] + 97.5))
    assert np.allclose(u, np.cos(angle))
    assert np.allclose(v, np.sin(angle))
