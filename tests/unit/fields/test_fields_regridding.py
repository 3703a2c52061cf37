import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from stormdraw.fields.regridding import Regridder
from stormdraw.grids import HRRR, Grid, lambert

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
REGRIDDER = Regridder(SOURCE, TARGET)


def on_source(target: Grid) -> tuple[np.ndarray, np.ndarray]:
    return SOURCE.from_longitude_latitude(*target.longitude_latitude())


@settings(max_examples=20, deadline=None)
@given(*[st.floats(-1, 1) for _ in range(3)])
def test_bilinear_is_exact_for_a_linear_field(a, b, c):
    x, y = np.meshgrid(SOURCE.x, SOURCE.y)
    target_x, target_y = on_source(TARGET)
    linear = a + b * x / 1e5 + c * y / 1e5
    expected = a + b * target_x / 1e5 + c * target_y / 1e5
    assert np.allclose(REGRIDDER.bilinear(linear), expected, atol=1e-5)


def test_bilinear_and_nearest_agree_with_scipy():
    field = np.random.default_rng(0).normal(size=SOURCE.shape)
    x, y = on_source(TARGET)
    for method, ours in (("linear", REGRIDDER.bilinear), ("nearest", REGRIDDER.nearest)):
        theirs = RegularGridInterpolator((SOURCE.y, SOURCE.x), field, method=method)
        assert np.allclose(ours(field), theirs(np.stack([y, x], axis=-1)), atol=1e-5)


def test_nearest_makes_no_new_values():
    field = np.where(np.random.default_rng(0).random(SOURCE.shape) < 0.8, -10.0, 40.0)
    assert set(np.unique(REGRIDDER.nearest(field))) == {-10.0, 40.0}


def test_points_outside_the_source_are_missing():
    x, y = on_source(TARGET)
    middle = int(np.searchsorted(SOURCE.x, x.mean()))
    small = SOURCE.crop(slice(0, None), slice(0, middle))
    inside = (x >= small.x[0]) & (x <= small.x[-1]) & (y >= small.y[0]) & (y <= small.y[-1])
    assert 0 < inside.sum() < inside.size
    regridder = Regridder(small, TARGET)
    for method in (regridder.bilinear, regridder.nearest):
        assert (np.isfinite(method(np.ones(small.shape))) == inside).all()


def test_a_missing_neighbour_makes_the_point_missing():
    field = np.ones(SOURCE.shape)
    field[60, 70] = np.nan
    result = REGRIDDER.bilinear(field)
    x, y = on_source(TARGET)
    near = (np.abs(x - SOURCE.x[70]) < 5000) & (np.abs(y - SOURCE.y[60]) < 5000)
    assert (np.isnan(result) == near).all()


def test_same_grid_is_passed_through():
    field = np.random.default_rng(0).normal(size=TARGET.shape)
    assert Regridder(TARGET, TARGET).bilinear(field) is field


def test_uniform_westerly_stays_one():
    """Eastward 10 m/s everywhere, written along the source's axes, comes out along the target's."""
    angle = np.deg2rad(np.sin(np.deg2rad(25.0)) * (SOURCE.longitude_latitude()[0] + 95.0))
    u, v = REGRIDDER.wind(10 * np.cos(angle), 10 * np.sin(angle), grid_relative=True)
    expected = np.deg2rad(np.sin(np.deg2rad(38.5)) * (TARGET.longitude_latitude()[0] + 97.5))
    assert np.allclose(u, 10 * np.cos(expected), atol=1e-4)
    assert np.allclose(v, 10 * np.sin(expected), atol=1e-4)


def test_earth_relative_wind_is_turned_once():
    ones, zeros = np.ones(TARGET.shape), np.zeros(TARGET.shape)
    u, v = Regridder(TARGET, TARGET).wind(ones, zeros, grid_relative=False)
    angle = np.deg2rad(np.sin(np.deg2rad(38.5)) * (TARGET.longitude_latitude()[0] + 97.5))
    assert np.allclose(u, np.cos(angle))
    assert np.allclose(v, np.sin(angle))
